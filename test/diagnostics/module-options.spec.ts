import { request, type IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import type { AddressInfo } from 'node:net';
import { type DynamicModule, type INestApplication, Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  DiagnosticsModule,
  type DiagnosticsOptionsFactory,
  type DiagnosticsSettings,
  type DiagnosticsSource,
} from '../../src/diagnostics/index';
import { eventually } from '../support/eventually';
import { httpGet } from '../support/http-get';

const TOKEN = 'a-token-that-was-injected';

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ family }) => family === 'IPv6'),
);
if (!hasIpv6) console.warn('SKIPPED: this machine has no IPv6, so nothing listens on it.');

@Injectable()
class Vault {
  readonly token = TOKEN;
}

@Module({ providers: [Vault], exports: [Vault] })
class VaultModule {}

@Injectable()
class VaultFactory implements DiagnosticsOptionsFactory {
  constructor(private readonly vault: Vault) {}

  async createDiagnosticsOptions(): Promise<DiagnosticsSettings> {
    return { token: this.vault.token, sources: [{ name: 'late', read: () => 'of the factory' }] };
  }
}

@Module({ imports: [VaultModule], providers: [VaultFactory], exports: [VaultFactory] })
class FactoryModule {}

@Injectable()
class VaultSource implements DiagnosticsSource {
  readonly name = 'vault';
  constructor(private readonly vault: Vault) {}
  read(): unknown {
    return { lengthCount: this.vault.token.length };
  }
}

const adapters = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };

describe.each(Object.entries(adapters))('DiagnosticsModule under %s', (_name, adapter) => {
  let app: INestApplication | undefined;

  const listen = async (diagnostics: DynamicModule, host = '127.0.0.1'): Promise<string> => {
    const AppModule: Type = class {};
    Module({ imports: [diagnostics] })(AppModule);
    app = await NestFactory.create(AppModule, adapter(), { logger: false, abortOnError: false });
    await app.listen(0, host);
    return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  };
  const foreign = (token: string) => ({ headers: { Host: 'shop.example.org', Authorization: `Bearer ${token}` } });

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  it.each<[string, () => DynamicModule]>([
    [
      'useFactory',
      () =>
        DiagnosticsModule.forRootAsync({
          imports: [VaultModule],
          inject: [Vault],
          useFactory: async (vault: Vault) => ({
            token: vault.token,
            sources: [{ name: 'late', read: () => 'of the factory' }],
          }),
          sources: [VaultSource],
        }),
    ],
    [
      'useClass',
      () => DiagnosticsModule.forRootAsync({ imports: [VaultModule], useClass: VaultFactory, sources: [VaultSource] }),
    ],
    [
      'useExisting',
      () =>
        DiagnosticsModule.forRootAsync({
          imports: [FactoryModule, VaultModule],
          useExisting: VaultFactory,
          sources: [VaultSource],
        }),
    ],
  ])('takes its settings from %s', async (_how, diagnostics) => {
    const base = await listen(diagnostics(), '0.0.0.0');
    expect((await httpGet(`${base}/diagnostics`, foreign('another'))).status).toBe(401);
    const answer = await httpGet(`${base}/diagnostics`, foreign(TOKEN));
    expect(answer.json().sources).toEqual({ vault: { lengthCount: TOKEN.length }, late: 'of the factory' });
  });

  it.each(['0.0.0.0', ...(hasIpv6 ? ['::'] : [])])(
    'does not let the application listen on %s without a token',
    async (host) => {
      await expect(listen(DiagnosticsModule.forRoot(), host)).rejects.toMatchObject({ code: 'INSECURE_BIND' });
      await eventually(() => !app!.getHttpServer().listening);
    },
  );

  it('answers nobody who was quick enough to connect before it was refused', async () => {
    const AppModule: Type = class {};
    Module({ imports: [DiagnosticsModule.forRoot()] })(AppModule);
    app = await NestFactory.create(AppModule, adapter(), { logger: false, abortOnError: false });
    await app.init();
    const server = app.getHttpServer();
    const served: IncomingMessage[] = [];
    server.on('request', (asked: IncomingMessage) => served.push(asked));
    const early: Promise<unknown>[] = [];
    // Before the refusal: the kernel takes connections by now.
    server.prependListener('listening', () => {
      const { port } = server.address() as AddressInfo;
      const asked = request({ port, host: '127.0.0.1', path: '/diagnostics' }).on('error', () => undefined);
      asked.end();
      early.push(new Promise((resolve) => asked.once('close', resolve)));
    });
    await expect(app.listen(0, '0.0.0.0')).rejects.toMatchObject({ code: 'INSECURE_BIND' });
    expect(early).toHaveLength(1);
    await Promise.all(early);
    expect(served).toEqual([]);
  });

  it('lets it listen wide with a token, with the switch that says so, and on loopback with neither', async () => {
    for (const [options, host] of [
      [{ token: TOKEN }, '0.0.0.0'],
      [{ insecure: true }, '0.0.0.0'],
      [{}, '127.0.0.1'],
      ...(hasIpv6 ? [[{}, '::1'] as const] : []),
      [{}, 'localhost'],
    ] as const) {
      await listen(DiagnosticsModule.forRoot(options), host);
      const { port, address } = app!.getHttpServer().address() as AddressInfo;
      const peer = createConnection(port, address === '0.0.0.0' ? '127.0.0.1' : address);
      await once(peer, 'connect');
      peer.destroy();
      await app!.close();
    }
    // Open, but for this machine only.
    const base = await listen(DiagnosticsModule.forRoot({ insecure: true }), '0.0.0.0');
    expect((await httpGet(`${base}/diagnostics`, foreign(''))).status).toBe(403);
    expect((await httpGet(`${base}/diagnostics`)).status).toBe(200);
  });
});

it('DiagnosticsModule runs in an application without HTTP', async () => {
  const AppModule: Type = class {};
  Module({ imports: [DiagnosticsModule.forRoot()] })(AppModule);
  const context = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  await context.close();
});
