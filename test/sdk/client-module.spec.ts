import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommanderClient, CommanderClientModule } from '../../src/sdk/client.js';
import { eventually } from '../support/eventually.js';
import { RawCommander } from './support/raw-commander.js';

describe('CommanderClientModule', () => {
  let commander: RawCommander;
  beforeEach(async () => {
    commander = await RawCommander.start(({ token, data }) => ({ token, namespace: data.namespace }));
  });
  afterEach(() => commander.stop());

  const boot = (module: object) =>
    NestFactory.createApplicationContext(module as never, { logger: false, abortOnError: false });

  @Injectable()
  class Uses {
    constructor(@Inject(CommanderClient) readonly client: CommanderClient) {}
  }

  it('forRoot: injects a client into the module that imports it, and closes it with the app', async () => {
    @Module({
      imports: [CommanderClientModule.forRoot({ port: commander.port, token: 't', namespace: 'n' })],
      providers: [Uses],
    })
    class App {}
    const app = await boot(App);
    const { client } = app.get(Uses);
    expect(await client.system.health()).toEqual({ token: 't', namespace: 'n' });
    expect(commander.sockets.size).toBe(1);
    await app.close();
    expect(client.connectionCount).toBe(0);
    await eventually(() => commander.sockets.size === 0);
    await expect(client.system.health()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('forRootAsync: takes the options from other providers', async () => {
    @Module({ providers: [{ provide: 'PORT', useFactory: () => commander.port }], exports: ['PORT'] })
    class Config {}
    @Module({
      imports: [
        CommanderClientModule.forRootAsync({
          imports: [Config],
          inject: ['PORT'],
          useFactory: async (port: number) => ({ port, namespace: 'late' }),
        }),
      ],
      providers: [Uses],
    })
    class App {}
    const app = await boot(App);
    expect(await app.get(Uses).client.system.health()).toEqual({ namespace: 'late' });
    await app.close();
  });

  it('is visible everywhere only when asked to', async () => {
    @Module({ providers: [Uses] })
    class Feature {}
    @Module({ imports: [CommanderClientModule.forRoot({ port: commander.port, isGlobal: true }), Feature] })
    class Global {}
    const app = await boot(Global);
    expect(await app.get(Uses).client.system.health()).toEqual({ namespace: 'default' });
    await app.close();

    @Module({ imports: [CommanderClientModule.forRoot({ port: commander.port }), Feature] })
    class Local {}
    await expect(boot(Local)).rejects.toThrow(/CommanderClient/);
  });

  it('refuses wrong options at boot', async () => {
    @Module({ imports: [CommanderClientModule.forRootAsync({ useFactory: () => ({ port: -1 }) })] })
    class App {}
    await expect(boot(App)).rejects.toThrow(/CommanderClient options: port/);
  });
});
