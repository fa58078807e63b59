'use strict';

// What `main` of package.json names: Node looks for it from the link in node_modules, where `../../lib` is another folder.
module.exports = require('../../lib/contract/index.js');
