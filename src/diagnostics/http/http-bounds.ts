import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Connections to the HTTP port at once: probes, Prometheus and a few browsers need a quarter of them. */
export const MAX_HTTP_CONNECTIONS = 64;

/** What a request may take to arrive, in ms. Far below Node's own, which leave half a head there for a minute and half a body for five. */
export const ARRIVAL_TIMES = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  // Node looks for those that are too slow every 30 s, whatever the two above say.
  connectionsCheckingInterval: 1_000,
};

/** Nothing read, nothing written: for peers that do not take their answer. Live events have a heartbeat every 15 s. */
const SILENCE_MS = 120_000;

/**
 * Bounds what strangers can hold of an HTTP server that does not listen yet. Where all places are taken the next connection
 * gets that of the one which has waited longest without a request: turned away at the door, a kubelet would find commander
 * dead as long as anybody keeps 64 connections open. It is turned away only while all others are being answered.
 */
export function boundHttpServer(server: Server): void {
  Object.assign(server, ARRIVAL_TIMES, { timeout: SILENCE_MS });
  /** Those without a request under way, the longest wait first. */
  const waiting = new Set<Socket>();
  const busy = new Set<Socket>();
  const wait = (socket: Socket): void => {
    busy.delete(socket);
    if (!socket.destroyed) waiting.add(socket);
  };

  server.on('connection', (socket: Socket) => {
    socket.once('close', () => {
      waiting.delete(socket);
      busy.delete(socket);
    });
    wait(socket);
    if (waiting.size + busy.size <= MAX_HTTP_CONNECTIONS) return;
    const [longest] = waiting;
    waiting.delete(longest!);
    longest!.destroy();
  });
  server.on('request', ({ socket }, response) => {
    waiting.delete(socket);
    if (socket.destroyed) return;
    busy.add(socket);
    response.once('close', () => wait(socket));
  });
}
