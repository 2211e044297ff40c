"""Runs the tests on SQLite and on PostgreSQL, both at once: `python -m tests [words for pytest]`.

One process a database, since the ORM keeps a database's dialect for the whole process. The first one's output
is shown as it comes, the second's after it, and both closing lines once more at the end.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}

# Where Linux keeps files in memory, and how much of it the tests may need.
IN_MEMORY, ENOUGH = Path("/dev/shm"), 4 * 1024**3


def main(words: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="grove-tests-", dir=scratch()) as directory:
        outputs = {database: Path(directory, f"{database}.log") for database in DATABASES}
        runs = {database: start(database, words, outputs[database]) for database in DATABASES}

        def stop(*_: object) -> None:
            for run in runs.values():
                run.terminate()

        signal.signal(signal.SIGTERM, stop)
        try:
            for database, run in runs.items():
                print(f"\nThe tests on {DATABASES[database]}\n", flush=True)
                follow(run, outputs[database])
        except KeyboardInterrupt:
            # Ctrl-C has reached the runs too; each still takes down what it started.
            print("\nInterrupted", flush=True)
        codes = [run.wait() for run in runs.values()]
        print()
        for database in DATABASES:
            print(f"{DATABASES[database] + ':':12}{closing_line(outputs[database])}")
    return next((code for code in codes if code), 0)


def scratch() -> Path | None:
    """Where the databases and files of the tests go: into memory where there is enough; None is the usual place.

    The tests kill the service, never the machine, so that nothing has to reach a disk.
    """
    free = shutil.disk_usage(IN_MEMORY).free if os.access(IN_MEMORY, os.W_OK | os.X_OK) else 0
    return IN_MEMORY if free > ENOUGH else None


def start(database: str, words: list[str], output: Path) -> subprocess.Popen[bytes]:
    color = "yes" if sys.stdout.isatty() else "no"
    # A cache of its own, or the two would overwrite each other's list of the tests that failed.
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--color={color}",
        "-o",
        f"cache_dir=.pytest_cache/{database}",
    ]
    environment = os.environ | {
        "GROVE_TEST_DATABASE": database,
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(output.parent),
    }
    # Who wants no compiled files beside the sources gets them elsewhere: without any, each of the hundreds of
    # processes that the tests start takes twice the time.
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        environment["PYTHONPYCACHEPREFIX"] = str(output.parent / "compiled")
    with output.open("wb") as file:
        return subprocess.Popen([*command, *words], env=environment, stdout=file, stderr=file)


def follow(run: subprocess.Popen[bytes], output: Path) -> None:
    """Prints what the run writes, until it has ended."""
    with output.open("rb") as file:
        ended = False
        while True:
            if text := file.read():
                sys.stdout.buffer.write(text)
                sys.stdout.buffer.flush()
            elif ended:
                return
            else:
                ended = run.poll() is not None
                time.sleep(0 if ended else 0.1)


def closing_line(output: Path) -> str:
    lines = output.read_text(errors="replace").splitlines()
    return re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]).strip(" =") if lines else "no output"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
