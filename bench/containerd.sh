#!/usr/bin/env bash
# Herds of real containerds, over limited links. Root on Debian. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -b
export TS_NODE_PROJECT=tsconfig.test.json
exec bash e2e/run.sh --run node -r ts-node/register/transpile-only bench/containerd/main.ts "$@"
