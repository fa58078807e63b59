import { DFDAEMON, DFGET, DFGET_DOCTOR, DFGET_PREHEAT, NODE_MIRROR, SUPERNODE } from '@cdk8s-dragonfly/contract';
import { helpText } from '../src';
import { EXAMPLE, FREE, MODAL } from './example-spec';

test('help is made from the contract', () => {
  expect(helpText(EXAMPLE)).toBe(`Usage: example --registry URL [flags]

Shows what flags of every type look like.

Flags:
      --config FILE       The settings. (default /etc/example.yml)
      --registry URL      Where images come from. (required; env REGISTRY; key mirror.remote)
  -n, --node HOST[:PORT]  A supernode. (repeatable or a list with commas; key nodes)
      --header STRING     A header. (repeatable; env HEADER)
  -o, --output PATH       A file.
      --workers INTEGER   How many. (default 4; key workers)
      --retries INTEGER   How often.
      --port PORT         The port. (default 8002; env PORT; key base.port)
      --any-port PORT     A port. (default 0)
      --listen ADDRESS    An address. (default 127.0.0.1:0)
      --quota SIZE        Space. (default 1GiB; key base.quota)
      --wait DURATION     A wait. (default 1s; env WAIT)
      --ip IP             An address.
      --verbose           Say more. (default false; key verbose)
      --log-level CHOICE  The level. (one of error, warn, info; default info)
  -h, --help              Show this text and exit.
  -v, --version           Show the version and exit.

A flag wins over the environment (env), which wins over the configuration file (key), which wins
over the default. Flags may be written --flag VALUE, --flag=VALUE, or with one dash.
`);
});

test('help shows the argument', () => {
  expect(helpText(MODAL)).toBe(`Usage: modal apply|plan|check [flags]

Has modes.

Arguments:
  mode  What to do.

Flags:
  -u, --url URL  A URL.
  -h, --help     Show this text and exit.
  -v, --version  Show the version and exit.

A flag wins over the default. Flags may be written --flag VALUE, --flag=VALUE, or with one dash.
`);
});

test('help shows an argument that may be any text by its name', () => {
  expect(helpText(FREE)).toMatch(
    /^Usage: free IMAGE \[flags\]\n\nTakes any text\.\n\nArguments:\n {2}image {2}An image\.\n/,
  );
});

test.each([DFDAEMON, DFGET, DFGET_DOCTOR, DFGET_PREHEAT, NODE_MIRROR, SUPERNODE])(
  'help of $name has at most 100 columns and no space at the end of a line',
  (spec) => {
    const lines = helpText(spec).split('\n');
    expect(lines.filter((line) => line.length > 100 || line.endsWith(' '))).toEqual([]);
    expect(lines.join('\n')).toContain(spec.summary.slice(0, 40));
  },
);
