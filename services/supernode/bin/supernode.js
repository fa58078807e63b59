#!/usr/bin/env -S node --max-semi-space-size=8 --heap-growing-percent=100 --v8-pool-size=1 --single-threaded-gc
'use strict';
// A supernode that has one core is to answer while garbage is marked. A thread that marks beside it takes half of the core for as long as it
// takes, and what clients ask meanwhile piles up; the main thread marks in steps of a millisecond, between requests. The old objects
// may become twice as much before they are marked again: left alone, V8 does it when they are a tenth more, every few seconds.
require('../lib/main.js').main(process.argv.slice(2), process.env);
