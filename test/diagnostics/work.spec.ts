import type { AddressInfo } from 'node:net';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DiagnosticsModule } from '../../src/diagnostics/index';
import { startLedger, stopLedger, workCounts } from '../../src/ledger/index';
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

describe('the work that growth is compared with', () => {
  let app: INestApplication;
  let base: string;

  beforeAll(async () => {
    startLedger();
    app = await NestFactory.create(ShopModule, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    base = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    await app.close();
    stopLedger();
  });

  it('is the requests of the application, and not those of whoever looks at the diagnostics', async () => {
    const before = workCounts()['http.request'] ?? 0;
    for (let times = 0; times < 3; times++) await httpGet(`${base}/orders`);
    for (let times = 0; times < 5; times++) await httpGet(`${base}/diagnostics/groups`);
    expect((workCounts()['http.request'] ?? 0) - before).toBe(3);
  });
});
