import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RequestLoad } from '../../leaklab/runner/request-load.js';
import { eventually } from '../support/eventually.js';

let server: Server;
let load: RequestLoad | undefined;

/** A server that resets the connection of the requests that `resets` chooses, and answers all others. */
async function serving(resets: (request: IncomingMessage, onThisConnection: number) => boolean): Promise<RequestLoad> {
  const requests = new WeakMap<Socket, number>();
  server = createServer((request, response) => {
    const count = (requests.get(request.socket) ?? 0) + 1;
    requests.set(request.socket, count);
    if (resets(request, count)) request.socket.resetAndDestroy();
    else response.end('ok');
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
    const requests = await serving((_request, onThisConnection) => onThisConnection === 3 && ++resetCount > 0);
    await eventually(() => resetCount > 1 && requests.answered > 10, { what: 'answers between resets' });
    expect(requests.failed).toBe(0);
  });

  it('counts a request as failed when a new connection is closed under it', async () => {
    const requests = await serving(() => true);
    await eventually(() => requests.failed > 3, { what: 'failed requests' });
    expect(requests.answered).toBe(0);
  });
});
