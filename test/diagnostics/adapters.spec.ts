import type { AddressInfo } from 'node:net';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { DiagnosticsModule } from '../../src/diagnostics/index';
import { httpGet } from '../support/http-get';

@Controller()
class ShopController {
  @Get('orders')
  orders(): string {
    return 'none';
  }
}

@Module({ imports: [DiagnosticsModule.forRoot()], controllers: [ShopController] })
class ShopModule {}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('under %s', (_name, adapter) => {
  let app: INestApplication;
  let base: string;

  const start = async (prefix?: string): Promise<void> => {
    app = await NestFactory.create(ShopModule, adapter(), { logger: false, abortOnError: false });
    if (prefix !== undefined) app.setGlobalPrefix(prefix);
    app.enableCors();
    await app.listen(0, '127.0.0.1');
    base = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  };

  afterEach(() => app.close());

  it('the diagnostics answer, and so does the application', async () => {
    await start();
    expect((await httpGet(`${base}/diagnostics`)).json()).toHaveProperty('heap.usedBytes');
    expect((await httpGet(`${base}/diagnostics/groups?limit=1`)).json()).toHaveProperty('ledger.running');
    expect((await httpGet(`${base}/diagnostics?verbose=1`)).status).toBe(400);
    expect((await httpGet(`${base}/orders`)).text).toBe('none');
    expect((await httpGet(`${base}/diagnostics/unheard-of`)).status).toBe(404);
  });

  it('they stand below the global prefix of the application, and nowhere else', async () => {
    await start('api/v1');
    expect((await httpGet(`${base}/api/v1/diagnostics`)).status).toBe(200);
    expect((await httpGet(`${base}/diagnostics`)).status).toBe(404);
    expect((await httpGet(`${base}/api/v1/orders`)).text).toBe('none');
  });

  it('an application that opens itself to other sites does not open them', async () => {
    await start();
    const answer = await httpGet(`${base}/diagnostics`, {
      headers: { Host: 'localhost', Origin: 'https://example.org' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('another method is refused with what is allowed; HEAD has no body', async () => {
    await start();
    const refused = await httpGet(`${base}/diagnostics`, { method: 'POST' });
    expect([refused.status, refused.headers.allow, refused.json().code]).toEqual([405, 'GET', 'METHOD_NOT_ALLOWED']);
    const head = await httpGet(`${base}/diagnostics`, { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
  });
});
