import { createServer } from 'node:net';
import { workerNumber } from './lane.js';

/** Below the kernel's ephemeral range: no outgoing connection (nor a client's retry to itself) can take such a port while its server is down. */
const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;
/** Each worker of the test run has ports of its own: what one gave back for a restart, no other takes. */
const WORKERS = 16;
const WORKER = workerNumber() % WORKERS;

/** A loopback port that nobody listens on right now. For programs that cannot bind to port 0 themselves. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = FIRST_PORT + Math.floor((Math.random() * (LAST_PORT - FIRST_PORT)) / WORKERS) * WORKERS + WORKER;
    if (await isFree(port)) return port;
  }
  throw new Error('no free loopback port found in 100 tries');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
