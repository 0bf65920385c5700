/* leaklab
row: C2
class: C
title: a pool that fills to its ceiling and a cache that fills to its size
read: the only false positives of BLeak
load: { rate: 50 }
seconds: { quick: 120, all: 300 }
needs: [redis]
memoryMiB: 512
*/
const { Redis } = require('ioredis');
const { serve } = require('../service.cjs');

const POOL = 40;
const CACHE = 2_000;
const pool = [];
const cache = new Map();
let requests = 0;

async function client() {
  // One more every fifteen requests, until it is full.
  if (pool.length < POOL && requests % 15 === 0) pool.push(new Redis(process.env.REDIS_URL));
  return pool[requests % Math.max(1, pool.length)] ?? (pool[0] = new Redis(process.env.REDIS_URL));
}

serve(async () => {
  const key = `page ${++requests}`;
  cache.set(key, { key, words: Array.from({ length: 100 }, (_, at) => `${key} word ${at}`) });
  if (cache.size > CACHE) cache.delete(cache.keys().next().value);
  return (await client()).incr('requests');
});
