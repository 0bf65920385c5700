/* leaklab
row: 1
class: H
title: the same at 70 requests per hour, the rate of the incident
read: redis/ioredis#1491
kind: ioredis.client
load: { rate: 0.01944 }
perCommand: 1
seconds: { all: 720 }
needs: [redis]
memoryMiB: 256
*/
const { Redis } = require('ioredis');
const { serve } = require('../service.cjs');

async function handle() {
  const client = new Redis(process.env.REDIS_URL); // plant
  return client.incr('requests');
}

serve(handle);
