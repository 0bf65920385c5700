import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pages } from './pages.js';

const server = createServer((request, response) => {
  const page = pages[new URL(request.url ?? '/', 'http://localhost').pathname];
  response.writeHead(page ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
  response.end(page ? page(Date.now()) : '<!doctype html><p>nothing here</p>');
});

server.listen(Number(process.env.SITES_PORT ?? 7980), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  console.log(
    `sites: ${Object.keys(pages)
      .map((path) => url + path)
      .join(' ')}`,
  );
  process.send?.({ type: 'ready', url });
});

process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
