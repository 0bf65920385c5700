/* leaklab
row: C3
class: C
title: steady traffic, a sawtooth of garbage
read: every service
load: { rate: 100 }
seconds: { quick: 120, all: 600 }
needs: [redis, http]
memoryMiB: 512
cost: true
*/
const { Redis } = require('ioredis');
const { serve } = require('../service.cjs');

const redis = new Redis(process.env.REDIS_URL);

async function handle() {
  const text = await (await fetch(`${process.env.PEER_URL}/small`)).text();
  const words = Array.from({ length: 2_000 }, (_, at) => ({ text: `${text} ${at}`, at }));
  await redis.set('page', JSON.stringify(words.slice(0, 50)), 'EX', 60);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return words.length;
}

serve(handle);
