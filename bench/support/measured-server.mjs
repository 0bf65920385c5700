/** Tells the parent where the server listens, and its CPU time (µs) and peak memory when asked. @param {number} port */
export function measured(port) {
  process.on('message', (message) => {
    if (message !== 'usage') return;
    const { user, system } = process.cpuUsage();
    process.send({ cpuMicros: user + system, rssBytes: process.memoryUsage.rss() });
  });
  // A benchmark that died must not leave its servers behind.
  process.on('disconnect', () => process.exit(0));
  process.send({ port });
}
