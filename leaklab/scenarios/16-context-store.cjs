/* leaklab
row: 16
class: M
title: stores of AsyncLocalStorage pinned by promises that are kept
read: getsentry/sentry-javascript#8829
load: { rate: 100 }
perCommand: 1
seconds: { all: 150 }
memoryMiB: 512
*/
const { AsyncLocalStorage } = require('node:async_hooks');
const { serve } = require('../service.cjs');

const context = new AsyncLocalStorage();
const done = [];
let requests = 0;

async function handle() {
  const id = ++requests;
  const store = { id, breadcrumbs: Array.from({ length: 300 }, (_, at) => ({ text: `request ${id} step ${at}`, at })) };
  // The promise holds nothing, but the context it was made in.
  done.push(context.run(store, () => Promise.resolve(id))); // plant
  return done.length;
}

serve(handle);
