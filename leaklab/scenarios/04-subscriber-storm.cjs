/* leaklab
row: 4
class: H
title: a new subscriber after every lost connection, while the old one reconnects by itself
read: redis/ioredis#2030, redis/ioredis#1325
kind: ioredis.client
load: { rate: 5 }
perSecond: 1
seconds: { all: 120 }
needs: [redis, flap]
memoryMiB: 512
*/
const { Redis } = require('ioredis');
const { serve } = require('../service.cjs');

const news = [];

function subscribe() {
  const subscriber = new Redis(process.env.FLAPPING_REDIS_URL); // plant
  subscriber.on('error', () => undefined);
  subscriber.once('close', subscribe);
  subscriber.subscribe('news').catch(() => undefined);
  subscriber.on('message', (_channel, message) => {
    news.push(message);
    if (news.length > 10) news.shift();
  });
}

subscribe();
serve(() => news.join());
