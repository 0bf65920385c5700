import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { MemoryWatch } from '../../support/memory-watch.js';
import { frame, requestFrame, type TcpPeer } from '../../support/tcp-peer.js';
import { Besieged } from './besieged.js';

/** In portions: a listener's backlog is finite, and so are the sockets that may be half open at once. */
async function inPortions(count: number, size: number, act: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += size) {
    await Promise.all(Array.from({ length: Math.min(size, count - from) }, (_, index) => act(from + index)));
  }
}

const submit = (payload: unknown) => ({ job: { name: 'nobody-has-it', payload } });

describe('an honest peer is served and the memory stays within the arithmetic while others send', () => {
  let besieged: Besieged;
  const attacker = (): Promise<TcpPeer> => besieged.attacker();

  beforeAll(async () => {
    besieged = await Besieged.start({ env: { FRAME_TIMEOUT_MS: '1000' } });
  });
  afterAll(() => besieged.stop());

  it('garbage', async () => {
    const { before, after } = await besieged.during(async () => {
      await inPortions(400, 40, async () => {
        const peer = await attacker();
        peer.write(Buffer.concat([Buffer.from('x'), randomBytes(64 * 1_024)]));
        await peer.closed();
      });
    });
    expect(after.closedCounts['malformed-frame'] - before.closedCounts['malformed-frame']).toBe(400);
  });

  it('negative, huge and lying lengths', async () => {
    const lengths = ['-1#{}', '-99999999999#', '131073#', '9999999999#', `${'9'.repeat(4_000)}#`, '0#', '1e9#{}'];
    const request = JSON.stringify({ id: 'a', pattern: 'system.health', data: {} });
    const lies = [`${request.length - 1}#${request}`, `${request.length - 20}#${request}`, `3#${request}`];
    await besieged.during(async () => {
      for (const bytes of [...lengths, ...lies]) {
        await inPortions(20, 20, async () => {
          const peer = await attacker();
          peer.write(bytes);
          await peer.closed();
          expect(peer.replies).toEqual([]);
        });
      }
      // Too long a length swallows what follows, until the frame is late.
      const greedy = await attacker();
      greedy.write(`${request.length + 50}#${request}`);
      await greedy.closed();
      expect(greedy.replies).toEqual([]);
    });
  });

  it('one byte at a time', async () => {
    const { before, after } = await besieged.during(async () => {
      const trickling = await Promise.all(Array.from({ length: 60 }, attacker));
      const bytes = Buffer.from(requestFrame('never', 'job.submit', submit('y'.repeat(100_000))));
      for (let sent = 0; trickling.some((peer) => !peer.isClosed); sent++) {
        for (const peer of trickling) if (!peer.isClosed) peer.write(bytes.subarray(sent, sent + 1));
        await sleep(10);
      }
    });
    expect(after.closedCounts['frame-timeout'] - before.closedCounts['frame-timeout']).toBe(60);
  });

  it('half frames, then nothing or the end', async () => {
    await besieged.during(async () => {
      const half = requestFrame('half', 'job.submit', submit('h'.repeat(120_000))).slice(0, 60_000);
      await inPortions(300, 30, async (index) => {
        const peer = await attacker();
        peer.write(half);
        if (index % 3 === 0) peer.socket.end();
        else if (index % 3 === 1) peer.socket.destroy();
        else peer.socket.resetAndDestroy();
        await peer.closed();
      });
      const silent = await Promise.all(Array.from({ length: 60 }, attacker));
      for (const peer of silent) peer.write(half);
      await Promise.all(silent.map((peer) => peer.closed()));
    });
  });

  it('100,000 frames at once, each of which is answered', async () => {
    await besieged.during(async () => {
      const peer = await attacker();
      const count = 100_000;
      peer.write(Array.from({ length: count }, (_, id) => requestFrame(id, 'system.health', {})).join(''));
      await eventually(() => peer.replies.length === count, { timeoutMs: 60_000, what: 'all replies' });
      expect(new Set(peer.replies.map(({ id }) => id)).size).toBe(count);
      expect(peer.replies.filter(({ err }) => err !== undefined && err.code !== 'RATE_LIMITED')).toEqual([]);
    });
  }, 90_000);

  it('requests for long replies that they never read', async () => {
    const owner = await besieged.peer();
    for (let i = 0; i < 25; i++) {
      const schedule = { id: `long-${i}`, everyMs: 86_400_000, job: { name: 'x', payload: 'p'.repeat(10_000) } };
      expect(await owner.ask('schedule.upsert', schedule)).toMatchObject({ response: { created: true } });
    }
    await owner.close();
    await besieged.during(async () => {
      const deaf = await Promise.all(Array.from({ length: 30 }, attacker));
      for (const peer of deaf) {
        peer.socket.pause();
        peer.write(Array.from({ length: 200 }, (_, id) => requestFrame(id, 'schedule.list', { limit: 500 })).join(''));
      }
      await eventually(async () => expect((await besieged.figures()).unsentBytes).toBeGreaterThan(2 ** 20), {
        timeoutMs: 60_000,
      });
      await sleep(2_000);
      for (const peer of deaf) peer.socket.destroy();
    });
  }, 120_000);

  it('requests for long replies, all at once, that they do read', async () => {
    await besieged.during(async () => {
      const greedy = await Promise.all(Array.from({ length: 15 }, attacker));
      const frames = Array.from({ length: 60 }, (_, id) =>
        requestFrame(id, 'schedule.list', { limit: 500, deadlineMs: 60_000 }),
      ).join('');
      for (const peer of greedy) peer.write(frames);
      await eventually(() => greedy.every(({ replies }) => replies.length === 60), { timeoutMs: 80_000 });
      const codes = greedy.flatMap(({ replies }) => replies.map(({ err }) => err?.code ?? 'OK'));
      expect(codes.every((code) => code === 'OK')).toBe(true);
    });
  }, 90_000);

  it('connections that they reset at once', async () => {
    await besieged.during(async () => {
      await inPortions(3_000, 50, async (index) => {
        const peer = await besieged.peer();
        if (index % 2 === 0) peer.write(requestFrame(index, 'schedule.list', {}));
        peer.socket.resetAndDestroy();
        await peer.closed();
      });
    });
  }, 60_000);

  it('10,000 connections, more than there may be', async () => {
    const { before, after } = await besieged.during(async () => {
      const flood: TcpPeer[] = [];
      // Some are refused while they still connect.
      await inPortions(10_000, 250, async () => {
        const peer = await attacker().catch(() => undefined);
        if (peer !== undefined) flood.push(peer);
      });
      await eventually(() => flood.filter(({ isClosed }) => !isClosed).length < 80);
    });
    expect(after.refusedCount - before.refusedCount).toBeGreaterThan(9_000);
    expect(after.acceptedCount - before.acceptedCount).toBeLessThan(1_000);
  }, 60_000);

  it('characters of two code units, cut anywhere', async () => {
    await besieged.during(async () => {
      const payload = '😀𝒳é€'.repeat(8_000);
      await inPortions(30, 10, async (index) => {
        const peer = await attacker();
        const bytes = Buffer.from(requestFrame('astral', 'job.submit', submit(payload)));
        for (let at = 0; at < bytes.length; at += 4_093 + index) peer.write(bytes.subarray(at, at + 4_093 + index));
        expect((await peer.replyTo('astral')).err).toBeUndefined();
        // Counted in bytes, as one would who does not know the protocol: the frame ends in the next one.
        peer.write(`${Buffer.byteLength('{"id":"é"}')}#{"id":"é"}`);
        await sleep(20);
        peer.write(requestFrame('next', 'system.health', {}));
        await peer.closed();
      });
    });
  }, 60_000);

  it('lone surrogates and bytes that are no UTF-8', async () => {
    await besieged.during(async () => {
      const peer = await attacker();
      const json = '{"id":"lone","pattern":"job.submit","data":{"job":{"name":"x","payload":"\\ud800 \\udfff"}}}';
      peer.write(frame(json));
      expect((await peer.replyTo('lone')).err).toBeUndefined();
      const head = Buffer.from('{"id":"raw","pattern":"job.submit","data":{"job":{"name":"x","payload":"');
      const tail = Buffer.from('"}}}');
      // Each of these bytes is read as one replacement character.
      const bytes = Buffer.from([0xff, 0xfe, 0xc0, 0x80]);
      peer.write(Buffer.concat([Buffer.from(`${head.length + 4 + tail.length}#`), head, bytes, tail]));
      expect((await peer.replyTo('raw')).err).toBeUndefined();
    });
  });

  it('nests without end', async () => {
    await besieged.during(async () => {
      await inPortions(100, 20, async (index) => {
        const peer = await attacker();
        const [open, close] = index % 2 === 0 ? ['[', ']'] : ['{"a":', '}'];
        const depth = index % 2 === 0 ? 60_000 : 20_000;
        const deep = `${open.repeat(depth)}1${close.repeat(depth)}`;
        peer.write(frame(`{"id":"data","pattern":"job.submit","data":${deep}}`));
        expect((await peer.replyTo('data')).err).toMatchObject({ code: 'INVALID_ARGUMENT' });
        peer.write(frame(`{"id":"pattern","pattern":${deep},"data":{}}`));
        expect((await peer.replyTo('pattern')).err).toMatchObject({ code: 'NOT_FOUND' });
        peer.write(frame(`{"id":${deep},"pattern":"system.health","data":{}}`));
        await peer.closed();
      });
    });
  }, 60_000);

  it('keys of prototypes', async () => {
    const evil = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    await besieged.during(async () => {
      const peer = await attacker();
      const bodies = [
        `{"id":"i0","pattern":"job.submit","data":{"job":{"name":"x","payload":${evil}}}}`,
        `{"id":"i1","pattern":"job.submit","data":{"job":{"name":"x","headers":${evil}}}}`,
        `{"id":"i2","pattern":"job.submit","data":{"job":{"name":"x"},"__proto__":{"wait":true}}}`,
        `{"id":"i3","pattern":"__proto__","data":${evil}}`,
        `{"__proto__":{"pattern":"system.health"},"id":"i4","data":{}}`,
      ];
      for (const body of bodies) peer.write(frame(body));
      for (const [index, code] of [
        'INVALID_ARGUMENT',
        'INVALID_ARGUMENT',
        'INVALID_ARGUMENT',
        'NOT_FOUND',
        'NOT_FOUND',
      ].entries())
        expect((await peer.replyTo(`i${index}`)).err).toMatchObject({ code });
      // A key that only looks like one is a key like others.
      peer.write(frame('{"id":"fine","pattern":"job.submit","data":{"job":{"name":"x","payload":{"constructor":1}}}}'));
      expect((await peer.replyTo('fine')).err).toBeUndefined();
    });
  });
});

describe('while Redis hangs', () => {
  let besieged: Besieged;

  beforeAll(async () => {
    besieged = await Besieged.start();
  });
  afterAll(async () => {
    besieged.redis.thaw();
    await besieged.stop();
  });

  it('the costliest payloads while Redis hangs, until no room is left', async () => {
    // 120 KB of text each, twenty times that once parsed: the heap of the process many times over if all were taken.
    const many = (item: string, count: number) => `[${Array.from({ length: count }, () => item).join(',')}]`;
    const payloads = [
      many('[]', 40_000),
      many('{}', 40_000),
      many('{"a":1}', 15_000),
      JSON.stringify('x'.repeat(120_000)),
    ];
    const before = await besieged.figures();
    const memory = new MemoryWatch(besieged.app.pid);
    besieged.redis.freeze();
    const hungry = await Promise.all(Array.from({ length: 20 }, () => besieged.attacker()));
    for (let round = 0; round < 4; round++) {
      for (const [index, peer] of hungry.entries()) {
        const data = `{"job":{"name":"x","payload":${payloads[(round + index) % payloads.length]}},"deadlineMs":4000}`;
        for (let i = 0; i < 10; i++) peer.write(frame(`{"id":"${round}-${i}","pattern":"job.submit","data":${data}}`));
      }
      const isOver = ({ isClosed, replies }: TcpPeer) => isClosed || replies.length === (round + 1) * 10;
      await eventually(() => hungry.every(isOver), { timeoutMs: 60_000 });
    }
    memory.stop();
    besieged.redis.thaw();
    const codes = new Set(hungry.flatMap(({ replies }) => replies.map(({ err }) => err?.code ?? 'OK')));
    expect(codes).toContain('RATE_LIMITED');
    expect([...codes].filter((code) => !['RATE_LIMITED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(code))).toEqual(
      [],
    );
    expect(memory.peakBytes).toBeLessThan(besieged.memoryBytes);
    // All of it is given back: what was taken for an attack serves the next ones.
    const { after } = await besieged.during(async () => {
      const peer = await besieged.attacker();
      expect(await peer.code('job.submit', submit('x'.repeat(100_000)))).toBe('OK');
    });
    expect(after.errorCounts.RATE_LIMITED).toBeGreaterThan(before.errorCounts.RATE_LIMITED ?? 0);
  }, 120_000);
});

describe('with room for 10,000 connections', () => {
  const COUNT = 10_000;
  /** What an idle connection may cost, the buffers that it might fill not counted. */
  const MAX_BYTES_EACH = 16 * 1_024;
  let besieged: Besieged;

  beforeAll(async () => {
    besieged = await Besieged.start({ env: { MAX_CONNECTIONS: String(COUNT + 100) } });
  });
  afterAll(() => besieged.stop());

  it('an honest peer is served beside 10,000 that say nothing, and their memory comes back', async () => {
    const memory = new MemoryWatch(besieged.app.pid);
    const atRestBytes = memory.now();
    await besieged.during(async () => {
      await inPortions(COUNT, 100, async () => void (await besieged.attacker()));
      expect((await besieged.figures()).tcpCount).toBeGreaterThan(COUNT);
      await sleep(1_000);
    });
    memory.stop();
    expect(memory.peakBytes - atRestBytes).toBeLessThan(COUNT * MAX_BYTES_EACH);
  }, 120_000);
});
