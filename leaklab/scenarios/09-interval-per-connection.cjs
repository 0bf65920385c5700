/* leaklab
row: 9
class: H
title: a ping interval per connection that outlives the connection
read: yjs/y-websocket#23
kind: interval
load: { rate: 20, connections: fresh }
perCommand: 1
seconds: { quick: 40, all: 60 }
memoryMiB: 512
*/
const { serve } = require('../service.cjs');

function watch(socket) {
  let alive = true;
  socket.on('data', () => (alive = true));
  const ping = () => {
    if (!alive) socket.destroy();
    alive = false;
  };
  setInterval(ping, 30_000); // plant
}

serve(() => 'ok').on('connection', watch);
