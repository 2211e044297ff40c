import { readFileSync } from 'node:fs';
import license from 'rollup-plugin-license';

// Packages that come without their licence's text, and another one by the same authors that has it.
const siblings = {
  '@graphiql/plugin-doc-explorer': 'graphiql',
  '@graphiql/plugin-explorer': 'graphiql',
  '@graphiql/plugin-history': 'graphiql',
  'react-compiler-runtime': 'react',
  'react-remove-scroll-bar': 'react-remove-scroll',
};
const notices = new URL('./node_modules/monaco-editor/ThirdPartyNotices.txt', import.meta.url);
// What monaco-editor holds besides, without a word in its notices.
const unmentioned = `DOMPurify (https://github.com/cure53/DOMPurify), © Cure53 and other contributors: Apache License 2.0, the text of
which stands above with react-aria, or Mozilla Public License 2.0.
Codicons (https://github.com/microsoft/vscode-codicons), the font, © Microsoft: Creative Commons Attribution 4.0.`;

/**
 * Plugins that gather what is bundled and write it into one file. The page and each worker are bundles of their
 * own: `gather()` goes into every one of them, `write()` into the page's, which is finished last.
 */
export function licences(fileName) {
  const found = new Map();
  const keep = (packages) => packages.forEach((one) => found.set(`${one.name} ${one.version}`, one));

  return {
    gather: () => license({ thirdParty: { multipleVersions: true, output: keep } }),
    write: () => ({
      name: 'licences',
      enforce: 'post',
      generateBundle() {
        this.emitFile({ type: 'asset', fileName, source: text(found) });
      },
    }),
  };
}

function text(found) {
  const packages = [...found.keys()].sort().map((name) => found.get(name));
  const parts = packages.map((one) => part(`${one.name} ${one.version} (${one.license})`, words(one, packages)));
  parts.push(part('Parts of monaco-editor', `${unmentioned}\n\n${readFileSync(notices, 'utf8')}`));
  return `The explorer is made of these packages.\n\n${parts.join('\n')}`.replaceAll('\r\n', '\n');
}

const part = (title, body) => `${'─'.repeat(80)}\n${title}\n\n${body.trim()}\n`;

/** The licence text; of a package that comes without one, that of its sibling. */
function words(one, packages) {
  const source = one.licenseText ? one : packages.find((other) => other.name === siblings[one.name]);
  if (!source?.licenseText) throw new Error(`${one.name} ${one.version} has no licence text`);
  return [source.licenseText, one.noticeText].filter(Boolean).join('\n\n');
}
