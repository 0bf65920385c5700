import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { promisify } from 'node:util';
import { RequestLoad } from '../../leaklab/runner/request-load.js';
import { eventually } from '../support/eventually.js';

let server: Server;
let load: RequestLoad | undefined;

type Treatment = 'answer' | 'reset' | 'hold';

async function serving(treat: (request: IncomingMessage, onThisConnection: number) => Treatment): Promise<RequestLoad> {
  const requests = new WeakMap<Socket, number>();
  server = createServer((request, response) => {
    const count = (requests.get(request.socket) ?? 0) + 1;
    requests.set(request.socket, count);
    const treatment = treat(request, count);
    if (treatment === 'reset') request.socket.resetAndDestroy();
    else if (treatment === 'answer') response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  load = new RequestLoad((server.address() as AddressInfo).port, { rate: 50, connections: 'kept' });
  return load;
}

afterEach(async () => {
  load?.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('the load of requests', () => {
  it('asks again when a kept connection was closed under its request, as a client must', async () => {
    let resetCount = 0;
    const requests = await serving((_request, onThisConnection) => {
      if (onThisConnection !== 3) return 'answer';
      resetCount++;
      return 'reset';
    });
    await eventually(() => resetCount > 1 && requests.answered > 10, { what: 'answers between resets' });
    expect(requests.failed).toEqual({});
  });

  it('counts a request as failed when a new connection is closed under it', async () => {
    const requests = await serving(() => 'reset');
    const failedCount = () => Object.values(requests.failed).reduce((sum, count) => sum + count, 0);
    await eventually(() => failedCount() > 3, { what: 'failed requests' });
    expect(requests.answered).toBe(0);
  });

  it('counts no request as failed that was under way when the load was stopped', async () => {
    let underWay = 0;
    const requests = await serving(() => {
      underWay++;
      return 'hold';
    });
    await eventually(() => underWay > 3, { what: 'requests under way' });
    requests.stop();
    const connections = promisify(server.getConnections.bind(server));
    await eventually(async () => (await connections()) === 0, { what: 'the end of all connections' });
    expect(requests.failed).toEqual({});
  });
});
