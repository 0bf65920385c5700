// Loaded with `node --expose-gc --require`: on SIGUSR2 the process collects its garbage and writes what is left of its heap, in
// bytes, to HEAP_FILE. What stays after a full collection is the floor of the heap.
const { writeFileSync } = require('node:fs');

process.on('SIGUSR2', () => {
  // The second one takes what finalizers of the first have let go.
  globalThis.gc();
  setImmediate(() => {
    globalThis.gc();
    writeFileSync(process.env.HEAP_FILE, String(process.memoryUsage().heapUsed));
  });
});
