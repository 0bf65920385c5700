/* leaklab
row: 11
class: H
title: responses of fetch kept for their headers, bodies never read
read: vercel/next.js#43493
kind: socket.client
load: { rate: 20 }
perCommand: 1
seconds: { quick: 40, all: 60 }
needs: [http]
memoryMiB: 512
*/
const { serve } = require('../service.cjs');

const seen = [];

async function probe(url) {
  const response = await fetch(url); // plant
  seen.push(response);
  return response.headers.get('content-type');
}

serve(() => probe(`${process.env.PEER_URL}/large`));
