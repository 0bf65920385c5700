/* leaklab
row: 10
class: H
title: an undici pool per call
read: nodejs/node#33468
kind: undici.Pool
load: { rate: 20 }
perCommand: 1
seconds: { all: 60 }
needs: [http]
memoryMiB: 512
*/
const { Pool } = require('undici');
const { serve } = require('../service.cjs');

async function load(origin) {
  const pool = new Pool(origin, { keepAliveTimeout: 600_000, keepAliveMaxTimeout: 600_000 }); // plant
  const { statusCode, body } = await pool.request({ path: '/small', method: 'GET' });
  await body.dump();
  return statusCode;
}

serve(() => load(process.env.PEER_URL));
