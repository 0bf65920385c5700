/* leaklab
row: 1
class: H
title: the same, connecting lazily
read: redis/ioredis#1491
kind: ioredis.client
load: { rate: 20 }
perCommand: 1
seconds: { all: 45 }
needs: [redis]
memoryMiB: 512
*/
const { Redis } = require('ioredis');
const { serve } = require('../service.cjs');

class Counter {
  async count() {
    const options = { lazyConnect: true, maxRetriesPerRequest: 2 };
    const client = new Redis(process.env.REDIS_URL, options); // plant
    await client.connect();
    return client.incr('requests');
  }
}

const counter = new Counter();
serve(() => counter.count());
