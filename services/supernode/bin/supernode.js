#!/usr/bin/env -S node --max-semi-space-size=8 --heap-growing-percent=80 --v8-pool-size=1 --single-threaded-gc --no-allocation-site-pretenuring
'use strict';
// A supernode that has one core is to answer while garbage is marked. A thread that marks beside it takes half of the core for as long as it
// takes, and what clients ask meanwhile piles up; the main thread marks in steps of a millisecond, between requests. The old objects may become
// four fifths more before they are marked again: left alone, V8 does it when they are a tenth more, every few seconds. And what lives long while
// a herd comes, as requests that wait do, is no reason to take all of its kind for long-lived: V8 then has each new one old from the start, for
// good, and marks all of them every 2 s.
require('../lib/main.js').main(process.argv.slice(2), process.env);
