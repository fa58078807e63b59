#!/usr/bin/env bash
# The load test of the supernode: the supernode on one core, what asks it on another. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
ulimit -n "$(ulimit -Hn)"
node_modules/.bin/tsc -b services/supernode
export TS_NODE_PROJECT=tsconfig.test.json
# The generator has one core as well: a thread that marks its garbage would make it late, and what it is late by counts as latency.
exec taskset -c "${BENCH_CORE:-1}" node --max-semi-space-size=64 --single-threaded-gc --heap-growing-percent=200 -r ts-node/register/transpile-only bench/load/main.ts "$@"
