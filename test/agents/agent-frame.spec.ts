import fc from 'fast-check';
import { encodeFrame, FrameDecoder, FrameError } from '../../src/agents/agent-frame.js';

function collect(maxFrameLength: number) {
  const frames: string[] = [];
  const oversized: string[] = [];
  const decoder = new FrameDecoder(maxFrameLength, {
    frame: (json) => frames.push(json),
    oversized: (tail) => oversized.push(tail),
  });
  return { decoder, frames, oversized };
}

describe('frames', () => {
  it('come out as they went in, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (values, sizes) => {
          const { decoder, frames } = collect(1_000_000);
          const bytes = Buffer.from(values.map((value) => encodeFrame({ value })).join(''));
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value as number;
            decoder.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(frames).toEqual(values.map((value) => JSON.stringify({ value })));
        },
      ),
    );
  });

  it('count UTF-16 code units, as Nest does', () => {
    const { decoder, frames } = collect(100);
    expect(encodeFrame('é😀')).toBe('5#"é😀"');
    for (const byte of Buffer.from('5#"é😀"2#{}')) decoder.push(Buffer.from([byte]));
    expect(frames).toEqual(['"é😀"', '{}']);
  });

  it('longer than the limit are skipped without being held, the next one is read', () => {
    const { decoder, frames, oversized } = collect(1_000);
    decoder.push(Buffer.from(`1000#${'x'.repeat(1_000)}`));
    decoder.push(Buffer.from(`1001#${'x'.repeat(900)}`));
    decoder.push(Buffer.from(`${'x'.repeat(92)}"id":"7"}2#{}`));
    expect(frames.map((frame) => frame.length)).toEqual([1_000, 2]);
    expect(oversized).toHaveLength(1);
    expect(oversized[0]).toHaveLength(256);
    expect(oversized[0]).toMatch(/"id":"7"}$/);
  });

  it.each(['HTTP/1.1 400 Bad Request', '#{}', '-1#x', '1e3#x', '9999999999#x', ' 2#{}', '12345678901234567890'])(
    'refuses %j',
    (text) => {
      const { decoder } = collect(1_000);
      expect(() => decoder.push(Buffer.from(text))).toThrow(FrameError);
    },
  );

  it('accept an empty body and leading zeros', () => {
    const { decoder, frames } = collect(1_000);
    decoder.push(Buffer.from('0#002#{}'));
    expect(frames).toEqual(['', '{}']);
  });
});
