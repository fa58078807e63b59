#!/usr/bin/env bash
# Nodes as network namespaces with limited links, and what a pull costs there. Root on Debian. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -b
export TS_NODE_PROJECT=tsconfig.test.json E2E_NEEDS=nginx:nginx
exec bash e2e/run.sh --run node -r ts-node/register/transpile-only bench/links/main.ts "$@"
