import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Pod } from './pod.js';

/**
 * What a Kubernetes Service does for TCP: one address; each new connection goes to the next ready pod and stays with it.
 * A pod that becomes unready or is deleted gets no new connection; those it has are left alone.
 */
export class PodService {
  private readonly pods = new Set<Pod>();
  private readonly sockets = new Set<Socket>();
  private next = 0;

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => this.forward(socket));
  }

  static async start(): Promise<PodService> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new PodService(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Pods that get new connections now. */
  get endpoints(): Pod[] {
    return [...this.pods].filter((pod) => pod.isReady && !pod.isTerminating);
  }

  add(pod: Pod): void {
    this.pods.add(pod);
  }

  remove(pod: Pod): void {
    this.pods.delete(pod);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private forward(client: Socket): void {
    const { endpoints } = this;
    this.track(client);
    if (endpoints.length === 0) {
      client.resetAndDestroy();
      return;
    }
    const pod = endpoints[this.next++ % endpoints.length]!;
    const server = connect({ host: pod.ip, port: pod.spec.commandPort, noDelay: true, allowHalfOpen: true });
    this.track(server);
    client.pipe(server).pipe(client);
    // A reset of one side is a reset of the other: kube-proxy rewrites packets and holds nothing.
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
  }
}
