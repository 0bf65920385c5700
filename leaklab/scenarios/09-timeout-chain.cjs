/* leaklab
row: 9
class: H
title: a timeout per request that sets itself again when it fires, for ever
read: yjs/y-websocket#23
kind: timer
load: { rate: 5 }
perCommand: 1
seconds: { all: 260 }
memoryMiB: 512
*/
const { serve } = require('../service.cjs');

function poll() {
  setTimeout(poll, 2_000); // plant
}

serve(() => {
  poll();
  return 'ok';
});
