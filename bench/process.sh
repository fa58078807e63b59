#!/usr/bin/env bash
# The process bench: CPU and memory a byte, on loopback, without root. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -b services/supernode services/dfdaemon
export TS_NODE_PROJECT=tsconfig.test.json
exec node -r ts-node/register/transpile-only bench/process/main.ts "$@"
