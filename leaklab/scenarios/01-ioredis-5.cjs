/* leaklab
row: 1
class: H
title: the same with ioredis 5
read: d-rec/drec-origin#790
kind: ioredis.client
load: { rate: 20 }
perCommand: 1
seconds: { all: 45 }
needs: [redis]
memoryMiB: 512
*/
const Redis = require('ioredis5');
const { serve } = require('../service.cjs');

async function handle() {
  const client = new Redis(process.env.REDIS_URL); // plant
  return client.incr('requests');
}

serve(handle);
