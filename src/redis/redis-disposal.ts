import type { RawRedisClient } from './redis-client.js';

/** How a client ended: it said goodbye, or its sockets were taken away. */
export type RedisEnd = 'quit' | 'disconnected';

/**
 * Ends a client within `timeoutMs`, whatever state Redis is in. A ready client quits, so that replies under way still
 * arrive; one that is not ready, or whose `quit` is not answered in time, is disconnected and its sockets destroyed.
 * Never waits for the `end` event: a client that is down does not emit it. Never throws.
 */
export async function dispose(client: RawRedisClient, timeoutMs: number): Promise<RedisEnd> {
  if (client.status === 'end') return 'quit';
  const sockets = socketsOf(client);
  if (client.status === 'ready' && (await quit(client, timeoutMs))) return 'quit';
  client.disconnect();
  // A frozen server never closes its end, and a half-closed socket would keep the process alive.
  for (const socket of new Set([...sockets, ...socketsOf(client)])) socket.destroy();
  return 'disconnected';
}

async function quit(client: RawRedisClient, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  // A connection that dies during the close rejects the quit: then it is disconnected like one that was down.
  const done = client.quit().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Socket {
  destroy(): unknown;
}

function socketsOf(client: RawRedisClient): Socket[] {
  const connections = client.isCluster ? (client as { nodes(): unknown[] }).nodes() : [client];
  return connections
    .map((connection) => (connection as { stream?: Socket }).stream)
    .filter((stream) => stream !== undefined && stream !== null);
}
