'use strict';

// `npm run api` writes API.md, the reference of the constructs, from what jsii makes of src/: which it makes only of an API that other
// languages could use too. `npm run api -- --check` changes nothing, and fails when API.md is another, or when a
// prop has no doc comment; that each is in a snapshot and arrives at the daemons is for test/manifests.test.ts and test/arrivals.test.ts.
const { spawnSync } = require('node:child_process');
const { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const root = join(__dirname, '..');
const { name, version, license, description, peerDependencies, devDependencies } = require('../package.json');
const LEFT_OUT = /(^|\/)(main\.ts|tsconfig\.json|src\/contract\/(package\.json|main\.js))$/;
/** jsii compiles for an older library than ours. */
const ERROR_CAUSE = 'interface ErrorConstructor { new (message?: string, options?: { cause?: unknown }): Error; }\n';

/** What jsii knows of the public API. */
function assembly() {
  const folder = mkdtempSync(join(tmpdir(), 'dragonfly-api-'));
  try {
    cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true, filter: (path) => !LEFT_OUT.test(path) });
    cpSync(join(root, 'README.md'), join(folder, 'README.md'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'src/es2022.d.ts'), ERROR_CAUSE);
    const index = join(folder, 'src/index.ts');
    writeFileSync(index, `/// <reference path="./es2022.d.ts" />\n${readFileSync(index, 'utf8')}`);
    const peers = Object.keys(peerDependencies).map((peer) => [peer, devDependencies[peer]]);
    const manifest = {
      ...{ name, version, license, description, author: { name }, main: 'src/index.js', types: 'src/index.d.ts' },
      repository: { type: 'git', url: 'https://example.com/cdk8s-dragonfly.git' },
      jsii: { outdir: 'out', targets: {}, versionFormat: 'short' },
      peerDependencies: Object.fromEntries(peers.map(([peer, at]) => [peer, `^${at}`])),
      devDependencies: Object.fromEntries(peers),
    };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'node_modules/jsii/bin/jsii'), '--silence-warnings=reserved-word'],
      { cwd: folder, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`jsii refuses the API:\n${stdout}${stderr}`);
    return JSON.parse(readFileSync(join(folder, '.jsii'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const short = (fqn) => fqn.split('.').slice(1).join('.');
const line = (text = '') => text.replace(/\s+/g, ' ').replace(/\|/g, '\\|').trim();
const textOf = ({ summary, remarks } = {}) => line([summary, remarks].filter(Boolean).join(' '));

function typeOf({ primitive, fqn, collection, union }) {
  if (primitive) return primitive;
  if (fqn) return short(fqn);
  if (collection?.kind === 'array') return `${typeOf(collection.elementtype)}[]`;
  if (collection) return `map of ${typeOf(collection.elementtype)}`;
  return union.types.map(typeOf).join(' or ');
}

function tableOf(head, rows) {
  return rows.length === 0 ? [] : [head, head.replace(/[^|]+/g, ' --- '), ...rows, ''];
}

function sectionOf(type, types) {
  const props = type.properties ?? [];
  const parents = (type.interfaces ?? []).filter((fqn) => fqn in types);
  const isStruct = type.kind === 'interface';
  return [
    `## ${type.name}`,
    '',
    textOf(type.docs),
    '',
    ...(parents.length === 0
      ? []
      : [
          `Has the props of ${parents.map((fqn) => `[${short(fqn)}](#${short(fqn).toLowerCase()})`).join(', ')} too.`,
          '',
        ]),
    ...tableOf(
      isStruct ? '| Prop | Type | Default | What |' : '| Property | Type | What |',
      props.map(({ name: prop, type: of, optional, docs, const: constant, static: isStatic }) => {
        const cells = isStruct
          ? [`\`${prop}\``, typeOf(of), optional ? line(docs?.default) : 'required', textOf(docs)]
          : [`\`${isStatic || constant ? `${type.name}.` : ''}${prop}\``, typeOf(of), textOf(docs)];
        return `| ${cells.join(' | ')} |`;
      }),
    ),
    ...tableOf(
      '| Method | What |',
      (type.methods ?? []).map(({ name: method, parameters = [], docs, static: isStatic }) => {
        const args = parameters.map(
          ({ name: arg, type: of, optional }) => `${arg}${optional ? '?' : ''}: ${typeOf(of)}`,
        );
        return `| \`${isStatic ? `${type.name}.` : ''}${method}(${args.join(', ')})\` | ${textOf(docs)} |`;
      }),
    ),
    ...tableOf(
      '| Value | What |',
      (type.members ?? []).map(({ name: member, docs }) => `| \`${type.name}.${member}\` | ${textOf(docs)} |`),
    ),
  ];
}

function main() {
  const { types } = assembly();
  const sorted = Object.values(types).sort((a, b) => (a.name < b.name ? -1 : 1));
  const text = [
    '# API reference',
    '',
    'Written by `npm run api`.',
    '',
    ...sorted.flatMap((type) => sectionOf(type, types)),
  ]
    .join('\n')
    .trimEnd();
  const file = join(root, 'API.md');
  if (!process.argv.includes('--check')) {
    writeFileSync(file, `${text}\n`);
    return;
  }
  const faults = [];
  if (readFileSync(file, 'utf8') !== `${text}\n`) faults.push('API.md is another: npm run api');
  for (const { kind, name: of, properties = [], docs } of sorted) {
    for (const { name: prop, optional, docs: own } of kind === 'interface' ? properties : []) {
      if (textOf(own) === '') faults.push(`${of}.${prop} has no doc comment`);
      if (optional && !own?.default) faults.push(`${of}.${prop} has no @default`);
    }
    if (textOf(docs) === '') faults.push(`${of} has no doc comment`);
  }
  faults.forEach((fault) => console.error(fault));
  process.exitCode = faults.length === 0 ? 0 : 1;
}

main();
