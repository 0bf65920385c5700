/* leaklab
row: 17
class: M
title: Promise.race against a promise that never settles
read: nodejs/node#17469
load: { rate: 100 }
perCommand: 1
seconds: { quick: 100, all: 150 }
memoryMiB: 512
*/
const { serve } = require('../service.cjs');

const shutdown = new Promise((resolve) => process.once('SIGUSR2', resolve));
let requests = 0;

async function handle() {
  const id = ++requests;
  const words = Array.from({ length: 200 }, (_, at) => ({ text: `page ${id} word ${at}`, at }));
  const page = await Promise.race([shutdown, Promise.resolve({ id, words })]); // plant
  return page.words.length;
}

serve(handle);
