/* leaklab
row: 12
class: H
title: a file watcher more at every reload
read: yamcodes/arkenv#1136
kind: fs.watch
load: { rate: 2 }
perCommand: 1
seconds: { all: 90 }
memoryMiB: 256
*/
const { readFileSync, watch } = require('node:fs');
const { serve } = require('../service.cjs');

let settings = '';

function reload() {
  settings = readFileSync(__filename, 'utf8');
  watch(__filename, () => (settings = '')); // plant
}

serve(() => {
  reload();
  return settings.length;
});
