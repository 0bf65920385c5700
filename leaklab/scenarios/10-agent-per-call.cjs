/* leaklab
row: 10
class: H
title: a keep-alive agent per call, whose idle sockets nobody lists
read: nodejs/node#5699, nodejs/node#33468
kind: http.agent
load: { rate: 20 }
perCommand: 1
seconds: { quick: 40, all: 60 }
needs: [http]
memoryMiB: 512
*/
const { Agent, get } = require('node:http');
const { serve } = require('../service.cjs');

function load(url) {
  const agent = new Agent({ keepAlive: true }); // plant
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    request.once('error', reject);
  });
}

serve(() => load(`${process.env.PEER_URL}/small`));
