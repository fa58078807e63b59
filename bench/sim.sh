#!/usr/bin/env bash
# Simulated swarms with the real placement and picker. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -b services/supernode services/engine
export TS_NODE_PROJECT=tsconfig.test.json
exec node --expose-gc -r ts-node/register/transpile-only bench/sim/main.ts "$@"
