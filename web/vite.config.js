import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { defineConfig } from 'vite';
import { licences } from './licences.js';

const { gather, write } = licences('THIRD-PARTY-LICENSES.txt');

export default defineConfig({
  // Relative addresses, so that the explorer also works behind a proxy that adds a prefix. The page is answered
  // at /graphql, a neighbour of /static/; hence only the page itself has to name that folder.
  base: './',
  experimental: {
    renderBuiltUrl: (file, { hostType }) => (hostType === 'html' ? `static/${file}` : { relative: true }),
  },
  plugins: [gather(), write(), operations(), checksums()],
  worker: { format: 'es', plugins: () => [gather()] },
  build: {
    outDir: '../service/static',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      checks: { moduleLevelDirective: false },
      // The libraries apart from our own few lines: an edited operation renames a small file, not the editor's 3 MB.
      output: { codeSplitting: { groups: [{ name: 'graphiql', test: /node_modules/, tags: ['$initial'] }] } },
    },
  },
});

/** Copies the ready-made operations, for the tests and the documentation of the installed service. */
function operations() {
  const folder = new URL('./src/operations/', import.meta.url);
  return {
    name: 'operations',
    generateBundle() {
      for (const file of readdirSync(folder)) {
        this.emitFile({ type: 'asset', fileName: `operations/${file}`, source: readFileSync(new URL(file, folder)) });
      }
    },
  };
}

/** SHA256SUMS, in the form that `sha256sum --check` reads, of all that was written. */
function checksums() {
  return {
    name: 'checksums',
    writeBundle({ dir }) {
      const lines = readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => [file.slice(dir.length + 1).split(sep).join('/'), readFileSync(file)])
        .filter(([name]) => name !== 'SHA256SUMS')
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`);
      writeFileSync(join(dir, 'SHA256SUMS'), lines.join(''));
    },
  };
}
