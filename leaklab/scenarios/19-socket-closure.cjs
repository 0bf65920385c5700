/* leaklab
row: 19
class: M
title: closures on kept sockets that pin bodies, handle counts flat
read: axios/axios#11091
load: { rate: 20 }
perCommand: 1
seconds: { all: 120 }
needs: [http]
memoryMiB: 512
*/
const { Agent, get } = require('node:http');
const { serve } = require('../service.cjs');

const agent = new Agent({ keepAlive: true, maxSockets: 8, timeout: 600_000 });

const audit = (body) => console.log('closed after', body.length);

async function page(url) {
  const response = await new Promise((resolve, reject) => get(url, { agent }, resolve).once('error', reject));
  const { socket } = response;
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  socket.setMaxListeners(0);
  socket.once('close', () => audit(body)); // plant
  return body.length;
}

serve(() => page(`${process.env.PEER_URL}/large`));
