/* leaklab
row: 2
class: H
title: a node-redis client per request that is never closed
read: redis/node-redis#2204
kind: node-redis.client
load: { rate: 20 }
perCommand: 1
seconds: { quick: 40, all: 60 }
needs: [redis]
memoryMiB: 512
*/
const { createClient } = require('redis');
const { serve } = require('../service.cjs');

async function handle() {
  const client = createClient({ url: process.env.REDIS_URL }); // plant
  client.on('error', () => undefined);
  await client.connect();
  return client.incr('requests');
}

serve(handle);
