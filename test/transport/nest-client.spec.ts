import { type ClientProxy, ClientProxyFactory, Transport } from '@nestjs/microservices';
import { firstValueFrom, toArray } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { CommandApp } from './command-app.js';

describe('a stock Nest client', () => {
  let commandApp: CommandApp;
  let client: ClientProxy;

  beforeAll(async () => {
    commandApp = await CommandApp.start();
    client = ClientProxyFactory.create({ transport: Transport.TCP, options: commandApp.server.address() });
    await client.connect();
  });
  afterAll(async () => {
    client.close();
    await commandApp.close();
  });

  it('gets exactly one value, then completion', async () => {
    await expect(firstValueFrom(client.send('system.health', {}).pipe(toArray()))).resolves.toEqual([
      { status: 'ok', checks: {} },
    ]);
    await expect(firstValueFrom(client.send('schedule.get', { id: 'nothing' }).pipe(toArray()))).resolves.toEqual([
      null,
    ]);
  });

  it('gets the error object of the contract', async () => {
    await expect(firstValueFrom(client.send('schedule.get', { id: 'x' }))).rejects.toEqual({
      code: 'NOT_FOUND',
      message: 'no schedule x',
      retryable: false,
      details: { id: 'x' },
    });
    await expect(firstValueFrom(client.send('agent.list', { limit: -1 }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(firstValueFrom(client.send('nope', {}))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(firstValueFrom(client.send({ cmd: 'system.health' }, {}))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('gets text of every script back, and long replies', async () => {
    const payload = { text: 'grüß 𝒳😀 中文 \u2028 "quoted"', list: Array.from({ length: 2_000 }, (_, i) => `é${i}`) };
    const reply = await firstValueFrom(client.send('job.submit', { job: { name: 'x', payload } }));
    expect(reply).toEqual({ payload });
    const long = await firstValueFrom(client.send<{ text: string }>('result.list', { limit: 200 }));
    expect(long.text).toHaveLength(200 * 1024);
  });

  it('gets each of 2,000 parallel calls its own answer', async () => {
    const calls = Array.from({ length: 2_000 }, (_, i) =>
      firstValueFrom(client.send('job.submit', { job: { name: 'x', payload: i } })),
    );
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 2_000 }, (_, payload) => ({ payload })));
  });

  it('gets several long replies at once, although together they exceed the send buffer of a connection', async () => {
    const calls = Array.from({ length: 40 }, () =>
      firstValueFrom(client.send<{ text: string }>('result.list', { limit: 200 })),
    );
    const replies = await Promise.all(calls);
    expect(replies.every(({ text }) => text.length === 200 * 1024)).toBe(true);
    expect(commandApp.server.stats().closedCounts['send-buffer']).toBe(0);
  });

  it('emits events into the void', async () => {
    const before = commandApp.server.stats().eventsDroppedCount;
    client.emit('system.health', {});
    await eventually(() => commandApp.server.stats().eventsDroppedCount === before + 1);
    expect(commandApp.witness.calls.filter(({ pattern }) => pattern === 'system.health').length).toBe(1);
  });
});
