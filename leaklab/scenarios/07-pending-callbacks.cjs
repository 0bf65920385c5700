/* leaklab
row: 7
class: M
title: requests of a ClientTCP whose server has stopped to answer, kept with their callbacks
read: nestjs/nest#10286
load: { rate: 100 }
perCommand: 1
seconds: { all: 150 }
needs: [mute]
memoryMiB: 512
*/
require('reflect-metadata');
const { ClientTCP } = require('@nestjs/microservices');
const { serve } = require('../service.cjs');

const proxy = new ClientTCP({ host: '127.0.0.1', port: Number(process.env.MUTE_PORT) });
let asked = 0;

function ask() {
  const job = { id: ++asked, history: Array.from({ length: 400 }, (_, index) => ({ at: asked + index })) };
  // Whoever asks looks at what was asked once the answer is there, and never gives up waiting for it.
  proxy.send('work', { id: job.id }).subscribe((answer) => console.log(job.history.length, answer)); // plant
}

serve(async () => {
  await proxy.connect();
  ask();
});
