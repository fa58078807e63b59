#!/usr/bin/env -S node --max-semi-space-size=8 --heap-growing-percent=50 --v8-pool-size=1 --interrupt-budget=600000 --no-allocation-site-pretenuring
'use strict';
// Young objects get 8 MiB, not 16: four layers of 1 GiB at once take 20 MiB less for it. With 4 MiB, code that is still cold costs more.
// A node pulls now and then: of 16 daemons that pull 96 MiB, a quarter of the CPU went into making code faster and marking what is old. Code has to
// run more often now before it is worth that, old objects may become half as much again, and one thread does both. Twice as much took 16 MiB more of
// memory. Objects are first taken for young ones wherever they are made: what a herd begins with says nothing of the rest.
require('../lib/main.js').main(process.argv.slice(2), process.env);
