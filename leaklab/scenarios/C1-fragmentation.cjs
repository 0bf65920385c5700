/* leaklab
row: C1
class: C
title: the allocator keeps what Buffers of mixed sizes leave behind
read: nodejs/help#1942
load: { rate: 100 }
seconds: { quick: 90, all: 300 }
memoryMiB: 1024
*/
const { serve } = require('../service.cjs');

const KEPT = 3_000;
const kept = [];
let next = 0;

function churn() {
  for (let index = 0; index < 60; index++) {
    const sizeBytes = 256 + Math.floor(Math.random() ** 3 * 120_000);
    kept[next++ % KEPT] = Buffer.allocUnsafeSlow(sizeBytes).fill(1);
  }
  return kept.length;
}

serve(churn);
