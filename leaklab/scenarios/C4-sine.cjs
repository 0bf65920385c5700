/* leaklab
row: C4
class: C
title: a day of traffic in minutes, with connections that stay for a while
read: any daily cycle
load: { shape: sine, low: 2, high: 60, periodSeconds: 150 }
seconds: { all: 600 }
needs: [mute]
memoryMiB: 512
*/
const { connect } = require('node:net');
const { serve } = require('../service.cjs');

function watch() {
  const socket = connect(Number(process.env.MUTE_PORT), '127.0.0.1');
  socket.on('error', () => undefined);
  // The request is over long before: this is a session.
  setTimeout(() => socket.destroy(), 2_000 - 8_000 * Math.log(1 - Math.random()));
}

serve(watch);
