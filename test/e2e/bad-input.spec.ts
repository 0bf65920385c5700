import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';
import { frame, TcpPeer } from '../support/tcp-peer.js';

let service: Service;
let peer: TcpPeer;
beforeAll(async () => {
  // The recorder would write to Redis by itself, ten seconds after the start.
  service = await Service.start({ COMMANDER_TOKEN: 'right', RECORDER_REDIS_SAMPLES: '0' });
});
afterAll(() => service.stop());
beforeEach(async () => {
  peer = await TcpPeer.connect({ host: '127.0.0.1', port: service.replicas[0].tcpPort });
});
afterEach(() => peer.socket.destroy());

const withToken = { token: 'right' };
const job = { name: 'job' };
/** A tick in the middle of the test would store something. */
const schedule = { id: 'fine', cron: '0 0 1 1 *', startAt: '2090-01-01T00:00:00Z', job };

/** What Redis holds, to see that a refused request changed nothing. */
const stored = async () => (await service.redis.cli('keys', '{commander}:[srid]*')).split('\n').sort();

it('accepts what fits', async () => {
  expect(await peer.code('schedule.upsert', schedule, withToken)).toBe('OK');
});

describe('refuses, and changes nothing:', () => {
  it.each<[string, string, unknown, string]>([
    ['an unknown command', 'schedule.explode', {}, 'NOT_FOUND'],
    ['a command named like an inherited member', 'constructor', {}, 'NOT_FOUND'],
    ['an unknown field', 'schedule.upsert', { ...schedule, id: 'x', colour: 'red' }, 'INVALID_ARGUMENT'],
    [
      'an unknown field inside',
      'schedule.upsert',
      { ...schedule, id: 'x', job: { ...job, colour: 'red' } },
      'INVALID_ARGUMENT',
    ],
    ['a wrong type', 'schedule.upsert', { ...schedule, id: 7 }, 'INVALID_ARGUMENT'],
    ['a list for an object', 'schedule.upsert', [], 'INVALID_ARGUMENT'],
    ['an id with a colon', 'schedule.upsert', { ...schedule, id: 'a:b' }, 'INVALID_ARGUMENT'],
    ['an id with a bar', 'schedule.upsert', { ...schedule, id: 'a|b' }, 'INVALID_ARGUMENT'],
    ['an id that is too long', 'schedule.upsert', { ...schedule, id: 'x'.repeat(101) }, 'INVALID_ARGUMENT'],
    ['a cron that never fires', 'schedule.upsert', { ...schedule, id: 'x', cron: '0 0 31 2 *' }, 'INVALID_ARGUMENT'],
    ['an unknown zone', 'schedule.upsert', { ...schedule, id: 'x', timezone: 'Europe/Atlantis' }, 'INVALID_ARGUMENT'],
    ['a negative number', 'schedule.upsert', { ...schedule, id: 'x', timeoutMs: -1 }, 'INVALID_ARGUMENT'],
    ['a huge number', 'schedule.upsert', { ...schedule, id: 'x', timeoutMs: 1e300 }, 'INVALID_ARGUMENT'],
    ['a fraction', 'schedule.upsert', { ...schedule, id: 'x', timeoutMs: 1.5 }, 'INVALID_ARGUMENT'],
    ['an interval of no time', 'schedule.upsert', { id: 'x', everyMs: 0, job }, 'INVALID_ARGUMENT'],
    [
      'a version that is not the stored one',
      'schedule.upsert',
      { ...schedule, expectedVersion: 99 },
      'VERSION_CONFLICT',
    ],
    ['a second delay', 'job.submit', { job, delayMs: 5, at: Date.now() }, 'INVALID_ARGUMENT'],
    ['a key with half of a character', 'job.submit', { job, idempotencyKey: 'x\ud800' }, 'INVALID_ARGUMENT'],
    [
      'a key with half of a character',
      'schedule.trigger',
      { id: schedule.id, idempotencyKey: '\udc00x' },
      'INVALID_ARGUMENT',
    ],
    ['an empty page', 'schedule.list', { limit: 0 }, 'INVALID_ARGUMENT'],
    [
      'a port out of range',
      'agent.register',
      { agentId: 'x', host: 'h', port: 70_000, capabilities: ['job'], instanceEpoch: 1 },
      'INVALID_ARGUMENT',
    ],
    ['an expired deadline', 'job.submit', { job, wait: true, deadlineMs: 1_500 }, 'DEADLINE_EXCEEDED'],
  ])('%s', async (what, pattern, data, code) => {
    const before = await stored();
    const reply = await peer.ask(pattern, data, withToken);
    expect(reply.err).toMatchObject({
      code,
      message: expect.any(String) as string,
      retryable: expect.any(Boolean) as boolean,
    });
    // A submit whose caller only gave up waiting has been accepted.
    if (what !== 'an expired deadline') expect(await stored()).toEqual(before);
  });

  it('JSON that is nested too deeply', async () => {
    const payload = JSON.parse('['.repeat(500) + ']'.repeat(500)) as unknown;
    expect(await peer.code('job.submit', { job: { name: 'job', payload } }, withToken)).toBe('INVALID_ARGUMENT');
    const shallow = JSON.parse('['.repeat(20) + ']'.repeat(20)) as unknown;
    expect(await peer.code('job.submit', { job: { name: 'job', payload: shallow } }, withToken)).toBe('OK');
  });

  it('a missing or wrong token, and serves the right one on the same connection', async () => {
    for (const token of [{}, { token: '' }, { token: 'wrong' }, { token: 7 }, { token: { length: 5 } }]) {
      expect(await peer.code('schedule.list', {}, token)).toBe('UNAUTHENTICATED');
    }
    expect(await peer.code('schedule.list', {}, withToken)).toBe('OK');
    expect(service.replicas[0].output()).not.toContain('wrong');
  });

  it('an agent that is older than the one registered, and takes a newer one', async () => {
    const registration = { agentId: 'twice', host: '127.0.0.1', port: 1, capabilities: ['job'], instanceEpoch: 10 };
    expect(await peer.code('agent.register', registration, withToken)).toBe('OK');
    expect(await peer.code('agent.register', { ...registration, instanceEpoch: 9 }, withToken)).toBe(
      'VERSION_CONFLICT',
    );
    expect(await peer.code('agent.register', { ...registration, instanceEpoch: 11 }, withToken)).toBe('OK');
  });

  it.each([
    ['a malformed frame', 'GET / HTTP/1.1\r\n\r\n'],
    ['a length that is no number', 'x#{}'],
    ['a negative length', '-5#{}'],
    ['a declared length over the limit', '99999999999#{'],
    [
      'a payload over the limit',
      frame(JSON.stringify({ id: '1', pattern: 'job.submit', data: 'x'.repeat(1_100_000), ...withToken })),
    ],
    ['a frame that is no JSON', frame('{"id":')],
  ])('%s, by ending that connection only', async (_what, bytes) => {
    const other = await TcpPeer.connect({ host: '127.0.0.1', port: service.replicas[0].tcpPort });
    try {
      peer.write(bytes);
      await eventually(() => peer.isClosed);
      expect(await other.code('schedule.list', {}, withToken)).toBe('OK');
    } finally {
      other.socket.destroy();
    }
  });
});
