#!/usr/bin/env -S node --max-semi-space-size=8
'use strict';
// Young objects get 8 MiB, not 16: four layers of 1 GiB at once take 20 MiB less for it. With 4 MiB, code that is still cold costs more.
require('../lib/main.js').main(process.argv.slice(2), process.env);
