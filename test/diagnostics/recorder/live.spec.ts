import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { historySampleSchema } from '../../../src/contract/recorder.schema';
import type { Verdicts } from '../../../src/contract/verdict.schema';
import type { EndpointAnswer } from '../../../src/diagnostics/http/endpoint';
import { Diagnostics } from '../../../src/diagnostics/index';
import { EventStream } from '../../../src/diagnostics/live/event-stream';
import { LivePart, MAX_READERS } from '../../../src/diagnostics/live/live.part';
import { SampleTaker } from '../../../src/diagnostics/recorder/sample-taker';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { DiagnosticsApp } from '../support/diagnostics-app';
import { sample } from './support/sample';

/** A reader of server-sent events. */
class Reader {
  readonly events: { name: string; data: any }[] = [];
  hasEnded = false;

  private constructor(readonly answer: IncomingMessage) {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
        if (name !== undefined) this.events.push({ name, data: JSON.parse(data!) });
        text = text.slice(end + 2);
      }
    });
    answer.on('error', () => undefined);
    answer.on('close', () => (this.hasEnded = true));
  }

  static async open(url: string): Promise<Reader> {
    const sent = get(url, { agent: false });
    sent.on('error', () => undefined);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return new Reader(answer);
  }

  named(name: string): any[] {
    return this.events.filter((event) => event.name === name).map(({ data }) => data);
  }

  close(): void {
    this.answer.destroy();
  }
}

describe('GET /diagnostics/live', () => {
  let served: DiagnosticsApp;

  beforeEach(async () => {
    served = await DiagnosticsApp.start({ recorder: { intervalMs: 200 } });
  });

  afterEach(() => served.app.close());

  it('sends the last sample at once and new ones as time goes', async () => {
    await eventually(async () =>
      expect((await httpGet(served.url('/diagnostics/history'))).json().samples).not.toEqual([]),
    );
    const reader = await Reader.open(served.url('/diagnostics/live'));
    expect(reader.answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    await eventually(() => expect(reader.named('sample').length).toBeGreaterThanOrEqual(3));
    for (const event of reader.named('sample')) historySampleSchema.parse(event);
    const [first, second, third] = reader.named('sample');
    expect(second.at).toBeGreaterThan(first.at);
    expect(Math.abs(third.at - third.intervalMs - second.at)).toBeLessThan(20);
    reader.close();
  });

  it('ends when the application closes, and does not hold that up', async () => {
    const readers = await Promise.all([1, 2, 3].map(() => Reader.open(served.url('/diagnostics/live'))));
    await served.app.close();
    await eventually(() => expect(readers.every(({ hasEnded }) => hasEnded)).toBe(true));
    served = await DiagnosticsApp.start();
  });

  it('takes a bounded number of readers, and another one when one has gone', async () => {
    const readers = await Promise.all(
      Array.from({ length: MAX_READERS }, () => Reader.open(served.url('/diagnostics/live'))),
    );
    const refused = await httpGet(served.url('/diagnostics/live'));
    expect([refused.status, refused.headers['retry-after'], refused.json().code]).toEqual([503, '10', 'UNAVAILABLE']);
    readers[0]!.close();
    const another = await eventually(async () => {
      const reader = await Reader.open(served.url('/diagnostics/live'));
      expect(reader.answer.statusCode).toBe(200);
      return reader;
    });
    for (const reader of [...readers, another]) reader.close();
  });

  it('is guarded like the rest', async () => {
    const answer = await httpGet(served.url('/diagnostics/live'), { headers: { 'X-Forwarded-For': '10.0.0.1' } });
    expect(answer.status).toBe(403);
  });
});

describe('a reader that does not keep up', () => {
  it('is dropped, at a bounded length of what waits', async () => {
    const stream = new EventStream();
    // Takes the first piece and never says that it is done with it.
    const stuck = new Writable({ write: () => undefined });
    const piped = pipeline(stream, stuck).catch((error: Error) => error);
    let sentCount = 0;
    while (!stream.destroyed && sentCount < 10_000) {
      stream.event('sample', JSON.stringify('x'.repeat(1_000)));
      sentCount += 1;
      await new Promise(setImmediate);
    }
    expect(stream.destroyed).toBe(true);
    expect(sentCount).toBeLessThan(400);
    expect(await piped).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  it('is dropped by a real server, too', async () => {
    const served = await DiagnosticsApp.start();
    const socket: Socket = connect(served.port, '127.0.0.1');
    try {
      socket.write(`GET /diagnostics/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      await once(socket, 'data');
      socket.pause();
      const live = await eventually(() => {
        const part = livePartOf(served);
        expect(part.readersCount).toBe(1);
        return part;
      });
      const [reader] = (live as unknown as { readers: Set<EventStream> }).readers;
      const text = JSON.stringify('x'.repeat(100_000));
      await eventually(() => {
        reader!.event('sample', text);
        expect(live.readersCount).toBe(0);
      });
    } finally {
      socket.destroy();
      await served.app.close();
    }
  });
});

it('nothing runs while nobody reads', async () => {
  let takenCount = 0;
  const taker = new SampleTaker(() => ++takenCount);
  let verdicts: Verdicts | null = null;
  const live = new LivePart(
    { taker, lastSample: () => sample({ at: 1 }), verdicts: () => verdicts },
    { info: () => undefined, warn: (line) => expect(line).toBeUndefined() },
    10,
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(takenCount).toBe(0);

  const [endpoint] = live.endpoints;
  const open = () => (endpoint!.answer({} as never) as EndpointAnswer & { body: EventStream }).body.setEncoding('utf8');
  const stream = open();
  let text = '';
  stream.on('data', (chunk: string) => (text += chunk));
  await eventually(() => expect(text.match(/^event: sample$/gm)!.length).toBeGreaterThan(3));
  expect(text).not.toContain('event: verdicts');
  const rss = { rssBytes: 4, heapBytes: 2, externalBytes: 1, nativeBytes: 1 };
  verdicts = { takenAt: 1, state: 'leaking', sentence: 'x', watchedMs: 1, rss, verdicts: [], totalCount: 0 };
  const told = `event: verdicts\ndata: ${JSON.stringify(verdicts)}\n\n`;
  await eventually(() => expect(text).toContain(told));
  const second = open();
  await eventually(() => expect(second.read() as string).toContain(told));

  stream.destroy();
  second.destroy();
  await eventually(() => expect(live.readersCount).toBe(0));
  const restingCount = takenCount;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(takenCount).toBe(restingCount);
  expect(() => taker.take()).toThrow('not started');
});

it('a reader that could not be served takes no place', () => {
  let failure: Error | undefined = new Error('no descriptor is free');
  const live = new LivePart(
    {
      taker: new SampleTaker(() => null),
      lastSample: () => null,
      verdicts: () => {
        if (failure) throw failure;
        return null;
      },
    },
    { info: () => undefined, warn: () => undefined },
  );
  const open = () => live.endpoints[0]!.answer({} as never);
  try {
    for (let count = 0; count < MAX_READERS + 1; count++) expect(open).toThrow(failure);
    expect(live.readersCount).toBe(0);
    failure = undefined;
    expect(open()).toHaveProperty('body');
    expect(live.readersCount).toBe(1);
  } finally {
    live.stop();
  }
});

/** The part is private to Diagnostics; whether it holds a reader is seen nowhere else. */
function livePartOf(served: DiagnosticsApp): LivePart {
  const { parts } = served.app.get(Diagnostics, { strict: false }) as unknown as { parts: unknown[] };
  return parts.find((part) => part instanceof LivePart) as LivePart;
}
