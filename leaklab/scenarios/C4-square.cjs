/* leaklab
row: C4
class: C
title: bursts of traffic, each request holding a socket and a timer for a while
read: any daily cycle
load: { shape: square, low: 5, high: 120, periodSeconds: 30 }
seconds: { quick: 120, all: 300 }
needs: [mute]
memoryMiB: 512
*/
const { connect } = require('node:net');
const { serve } = require('../service.cjs');

async function hold() {
  const socket = connect(Number(process.env.MUTE_PORT), '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise((resolve) => setTimeout(resolve, 100 - 1_000 * Math.log(1 - Math.random())));
  socket.destroy();
}

serve(hold);
