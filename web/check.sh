#!/bin/sh
# Builds the explorer anew, in a temporary directory, and compares it with service/static/.
# Prints each file that differs ("<" kept, ">" built anew) and fails if there is any.
set -eu
cd "$(dirname "$0")"
kept=../service/static
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

npm ci
npm run build -- --logLevel warn --outDir "$scratch/static"

# The sums of the files as they are, whatever the SHA256SUMS beside them says.
(cd "$kept" && find . -type f ! -path ./SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum) >"$scratch/kept"

if diff "$scratch/kept" "$scratch/static/SHA256SUMS" && cmp "$kept/SHA256SUMS" "$scratch/static/SHA256SUMS"; then
  echo "service/static is what web/ builds."
else
  echo "service/static is not what web/ builds: run 'npm run build' in web/." >&2
  exit 1
fi
