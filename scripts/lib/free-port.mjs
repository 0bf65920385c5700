import { createServer } from 'node:net';

// Below the kernel's ephemeral range: no outgoing connection can take such a port before Redis binds it.
const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;

/** A loopback port that nobody listens on right now. */
export async function findFreePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (await isFree(port)) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
