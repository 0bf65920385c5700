/* leaklab
row: 20
class: C
title: a million resources through the ledger itself, all closed again
read: grafana/pyroscope-nodejs#28
load: { rate: 20 }
seconds: { all: 120 }
memoryMiB: 512
*/
const { EventEmitter } = require('node:events');
const { trackResource } = require('mu-commander/ledger');
const { serve } = require('../service.cjs');

const PER_REQUEST = 500;

function lease() {
  const leases = Array.from({ length: PER_REQUEST }, () => new EventEmitter());
  for (const each of leases) trackResource('lease', each, { closedBy: 'end' });
  for (const each of leases) each.emit('end');
}

serve(lease);
