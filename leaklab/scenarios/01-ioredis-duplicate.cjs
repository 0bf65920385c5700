/* leaklab
row: 1
class: H
title: the same, by duplicate() of the shared client
read: tj/connect-redis#254
kind: ioredis.client
load: { rate: 20 }
perCommand: 1
seconds: { all: 45 }
needs: [redis]
memoryMiB: 512
*/
const { Redis } = require('ioredis');
const { serve } = require('../service.cjs');

const shared = new Redis(process.env.REDIS_URL);

const lock = async (name) => {
  const own = shared.duplicate(); // plant
  return own.set(name, '1', 'PX', 1_000, 'NX');
};

serve((request) => lock(request.url));
