#!/usr/bin/env bash
# How many copies leave the origin, whatever becomes of the supernode: real processes on loopback, without root. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -b services/supernode services/dfdaemon
export TS_NODE_PROJECT=tsconfig.test.json
exec node -r ts-node/register/transpile-only bench/copies/main.ts "$@"
