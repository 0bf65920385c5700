import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { AgentProcess } from './support/agent-process.js';
import { agentAnswers, RawCommander, SILENCE } from './support/raw-commander.js';
import { RawPeer } from './support/raw-peer.js';

describe('the end of an agent process', () => {
  let commander: RawCommander;
  let agent: AgentProcess;
  let peer: RawPeer;

  beforeEach(async () => {
    commander = await RawCommander.start(agentAnswers());
  });
  afterEach(async () => {
    peer?.close();
    agent.kill();
    await agent.exited;
    await commander.stop();
  });

  async function start(options: object = {}): Promise<void> {
    agent = await AgentProcess.start({ agentId: 'p1', commander: { port: commander.port }, ...options });
    peer = await RawPeer.connect(agent.port);
  }

  it('SIGTERM: refuses new runs, lets those under way finish and answers them, deregisters, exits', async () => {
    await start();
    await eventually(() => commander.received('agent.heartbeat').length > 0);
    const running = peer.execute({ runId: 'r1', job: { name: 'sleep', payload: { ms: 4_000 } } });
    await agent.saw('started', 'r1');
    agent.child.kill('SIGTERM');
    await eventually(async () => (await peer.call('agent.ping', {})).response.draining === true);
    expect((await peer.execute({ runId: 'r2', job: { name: 'sleep', payload: { ms: 1 } } })).err).toMatchObject({
      code: 'SHUTTING_DOWN',
      retryable: true,
    });
    // A second dispatch of what is under way still joins it.
    const joined = peer.execute({ runId: 'r1', epoch: 2, job: { name: 'sleep', payload: { ms: 4_000 } } });
    const beats = commander.received('agent.heartbeat').length;
    await eventually(() => commander.received('agent.heartbeat').length > beats);
    expect(commander.received('agent.deregister')).toHaveLength(0);
    expect((await running).response).toEqual({ result: 'slept' });
    expect((await joined).response).toEqual({ result: 'slept' });
    await agent.exited;
    expect(agent.events.map(({ event }) => event)).toEqual(['listening', 'started', 'finished']);
    expect(commander.requests.at(-1)!.pattern).toBe('agent.deregister');
    await eventually(() => peer.isClosed && commander.sockets.size === 0);
  });

  it('SIGTERM with a run that takes too long: aborts it after drainTimeoutMs, answers SHUTTING_DOWN, exits', async () => {
    await start({ drainTimeoutMs: 300 });
    const hanging = peer.execute({ runId: 'r1', job: { name: 'hang' } });
    const short = peer.execute({ runId: 'r2', job: { name: 'sleep', payload: { ms: 150 } } });
    await agent.saw('started', 'r1');
    await agent.saw('started', 'r2');
    agent.child.kill('SIGTERM');
    expect((await short).response).toEqual({ result: 'slept' });
    const { err } = await hanging;
    expect(err).toMatchObject({ code: 'SHUTTING_DOWN', retryable: true });
    expect(err!.details).toBeUndefined();
    expect(await agent.saw('aborted', 'r1')).toMatchObject({ code: 'SHUTTING_DOWN' });
    await agent.exited;
    expect(commander.received('agent.deregister')).toHaveLength(1);
  });

  it('SIGTERM with a handler that ignores its signal: exits all the same', async () => {
    await start({ drainTimeoutMs: 100 });
    const deaf = peer.execute({ runId: 'r1', job: { name: 'sleep', payload: { ms: 600_000 } } });
    await agent.saw('started', 'r1');
    agent.child.kill('SIGTERM');
    expect((await deaf).err).toMatchObject({ code: 'SHUTTING_DOWN' });
    await agent.exited;
  });

  it.each([
    ['is away', async () => ({ port: await freePort() })],
    [
      'does not answer',
      async () => {
        commander.answer = () => SILENCE;
        return { port: commander.port };
      },
    ],
  ])('SIGTERM while commander %s: exits', async (_what, where) => {
    await start({ commander: await where() });
    agent.child.kill('SIGTERM');
    await agent.exited;
    expect(agent.output).not.toMatch(/unhandled|Error:/i);
  });

  it('SIGTERM while a peer does not read: exits', async () => {
    await start({ maxResultBytes: 10_000_000 });
    peer.socket.pause();
    for (let i = 0; i < 20; i++) void peer.call('agent.ping', {}).catch(() => undefined);
    agent.child.kill('SIGTERM');
    await agent.exited;
  });

  it('app.close(): nothing is left that keeps the process alive', async () => {
    await start();
    await eventually(() => commander.received('agent.heartbeat').length > 0);
    await peer.execute({ runId: 'r1', job: { name: 'sleep', payload: { ms: 10 } } });
    agent.child.send('close');
    const { resources } = await agent.saw('closed');
    expect(resources!.filter((type) => /TCP|Timeout|Immediate/.test(type))).toEqual([]);
    expect(await agent.exited).toEqual({ code: 0, signal: null });
  });
});
