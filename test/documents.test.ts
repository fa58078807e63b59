import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..');

/** The documents that people write; API.md and those of generators follow from what they are made of. */
const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md', 'src/imports/README.md'],
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
];

const textOf = (document: string): string => readFileSync(join(ROOT, document), 'utf8');

/** The names of a document's headings, as links have them. */
function headingsOf(document: string): string[] {
  const headings = textOf(document).match(/^#+ .*$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function all(document: string, pattern: RegExp): string[] {
  return [...textOf(document).matchAll(pattern)].map(([, found = '']) => found);
}

describe.each(DOCUMENTS)('%s', (document) => {
  it('leads to files and headings that are there', () => {
    const leadsNowhere = all(document, /\]\(([^)\s]+)\)/g).filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [path = '', heading] = target.split('#');
      const file = path === '' ? document : join(dirname(document), path);
      if (!existsSync(join(ROOT, file))) return true;
      return heading !== undefined && !headingsOf(file).includes(heading);
    });
    expect(leadsNowhere).toEqual([]);
  });

  it('names paths and scripts of this repository that are there', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const folders = /`((?:bench|demo|docs|e2e|examples|scripts|services|src|test)\/[\w./-]*)`/g;
    const missing = [
      ...all(document, folders).filter((path) => !existsSync(join(ROOT, path))),
      ...all(document, /npm run ([\w:]+)/g).filter((script) => scripts[script] === undefined),
    ];
    expect(missing).toEqual([]);
  });
});
