import fc from 'fast-check';
import { FrameError, FrameReader } from '../../src/transport/frame-reader.js';
import { frame } from '../support/tcp-peer.js';

function readAll(reader: FrameReader): string[] {
  const found: string[] = [];
  for (let body = reader.next(); body !== undefined; body = reader.next()) found.push(body);
  return found;
}

function reasonOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof FrameError) return error.reason;
    throw error;
  }
  return 'none';
}

/** What a reader makes of these bytes when they arrive in pieces of `size` bytes. */
function inPieces(bytes: Buffer, size: number, maxFrameBytes = 1_000_000): string[] {
  const reader = new FrameReader(maxFrameBytes);
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(bytes.subarray(at, at + size));
    found.push(...readAll(reader));
  }
  return found;
}

describe('FrameReader', () => {
  it('reads every sequence of texts back, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        (texts, size) => {
          expect(inPieces(Buffer.from(texts.map(frame).join('')), size)).toEqual(texts);
        },
      ),
    );
  });

  it('counts the length in UTF-16 code units: astral characters, cut at every byte', () => {
    const texts = ['"😀"', '{"a":"𝒳𝒴"}', '"é€"', '""'];
    const bytes = Buffer.from(texts.map(frame).join(''));
    for (let cut = 1; cut < bytes.length; cut++) {
      const reader = new FrameReader(1_000);
      reader.push(bytes.subarray(0, cut));
      const first = readAll(reader);
      reader.push(bytes.subarray(cut));
      expect([...first, ...readAll(reader)]).toEqual(texts);
      expect(reader.hasUnread).toBe(false);
    }
  });

  it('hands 100,000 pipelined frames out of one buffer, and 20,000 out of single bytes', () => {
    const texts = Array.from({ length: 100_000 }, (_, index) => `{"id":${index}}`);
    expect(inPieces(Buffer.from(texts.map(frame).join('')), Infinity)).toEqual(texts);
    const few = texts.slice(0, 20_000);
    expect(inPieces(Buffer.from(few.map(frame).join('')), 1)).toEqual(few);
  });

  it('joins a long frame from many small pieces', () => {
    const text = JSON.stringify('aé😀'.repeat(40_000));
    for (const size of [1, 7, 65_536]) expect(inPieces(Buffer.from(frame(text)), size)).toEqual([text]);
  });

  it('stops where it is asked to: frames that were not taken stay', () => {
    const reader = new FrameReader(100);
    reader.push(Buffer.from('1#11#22#3'));
    expect(reader.next()).toBe('1');
    reader.push(Buffer.from('31#4'));
    expect(reader.hasUnread).toBe(true);
    expect(readAll(reader)).toEqual(['2', '33', '4']);
    expect(reader.hasUnread).toBe(false);
  });

  it.each([
    ['no digit at all', '#{}'],
    ['a negative length', '-2#{}'],
    ['a fraction', '2.0#{}'],
    ['an exponent', '1e1#{}'],
    ['a space before the digits', ' 2#{}'],
    ['hexadecimal', '0x2#{}'],
    ['a text', 'GET / HTTP/1.1\r\n\r\n'],
    ['digits of another script', '٢#{}'],
    ['half a character', Buffer.from([0xf0])],
    ['a TLS hello', Buffer.from([0x16, 0x03, 0x01, 0x02])],
  ])('refuses %s as length', (_what, bytes) => {
    const reader = new FrameReader(1_000);
    expect(
      reasonOf(() => {
        reader.push(Buffer.from(bytes as string));
        reader.next();
      }),
    ).toBe('malformed-frame');
  });

  it('takes a length with leading zeros', () => {
    expect(inPieces(Buffer.from('0002#{}'), 1)).toEqual(['{}']);
  });

  it('refuses a declared length beyond the limit before the body comes, and takes one at the limit', () => {
    const reader = new FrameReader(1_000);
    reader.push(Buffer.from('1001'));
    expect(reasonOf(() => reader.next())).toBe('oversized-frame');
    const text = 'x'.repeat(1_000);
    expect(inPieces(Buffer.from(frame(text)), 64, 1_000)).toEqual([text]);
  });

  it('refuses an endless run of digits early', () => {
    const reader = new FrameReader(1_000);
    reader.push(Buffer.from('0'.repeat(11)));
    expect(reasonOf(() => reader.next())).toBe('oversized-frame');
  });

  it('refuses a frame that is longer in bytes than in code units, and takes the same number of ASCII characters', () => {
    const reader = new FrameReader(1_000);
    reader.push(Buffer.from(frame('€'.repeat(400))));
    expect(reasonOf(() => reader.next())).toBe('oversized-frame');
    expect(inPieces(Buffer.from(frame('e'.repeat(400))), 100, 1_000)).toHaveLength(1);
    expect(inPieces(Buffer.from(frame('€'.repeat(333))), 100, 1_000)).toHaveLength(1);
  });

  it('does not keep what was read', () => {
    const reader = new FrameReader(100_000);
    reader.push(Buffer.from(frame('x'.repeat(50_000)) + '5#ab'));
    readAll(reader);
    expect(reader.unreadLength).toBe(2);
    reader.clear();
    expect(reader.unreadLength).toBe(0);
    expect(reader.hasUnread).toBe(false);
  });
});
