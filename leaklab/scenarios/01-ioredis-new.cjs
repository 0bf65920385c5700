/* leaklab
row: 1
class: H
title: a new ioredis client for every request
read: redis/ioredis#1491, tj/connect-redis#254, d-rec/drec-origin#790
kind: ioredis.client
load: { rate: 100 }
perCommand: 1
seconds: { quick: 30, all: 60 }
needs: [redis]
memoryMiB: 1024
etaWithin: 0.2
*/
const { Redis } = require('ioredis');
const { serve } = require('../service.cjs');

async function handle() {
  const client = new Redis(process.env.REDIS_URL); // plant
  return client.incr('requests');
}

serve(handle);
