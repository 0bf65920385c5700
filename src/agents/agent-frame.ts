import { StringDecoder } from 'node:string_decoder';

/** Digits of a length field. Nine reach beyond every limit; a peer that sends more does not speak this protocol. */
const MAX_LENGTH_DIGITS = 9;
/** Kept from the end of a frame that is too long: Nest puts the packet's id there. */
const TAIL_LENGTH = 256;

/** What arrived is not `<length>#<json>`; the connection cannot be used any more. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Receives what a {@link FrameDecoder} found. */
export interface FrameSink {
  frame(json: string): void;
  /** A frame longer than the limit was skipped; `tail` is its end. */
  oversized(tail: string): void;
}

/** Nest's TCP framing: length in UTF-16 code units, `#`, JSON. */
export function encodeFrame(packet: unknown): string {
  const json = JSON.stringify(packet);
  return `${json.length}#${json}`;
}

/** Cuts a byte stream into frames. Holds at most one frame of `maxFrameLength` UTF-16 code units. */
export class FrameDecoder {
  private readonly utf8 = new StringDecoder('utf8');
  private lengthDigits = '';
  private isInBody = false;
  private missing = 0;
  private isSkipped = false;
  private parts: string[] = [];

  constructor(
    private readonly maxFrameLength: number,
    private readonly sink: FrameSink,
  ) {}

  /** @throws FrameError when the bytes are no frames */
  push(chunk: Buffer): void {
    let text = this.utf8.write(chunk);
    while (text.length > 0) text = this.isInBody ? this.readBody(text) : this.readLength(text);
  }

  private readLength(text: string): string {
    const end = text.indexOf('#');
    this.lengthDigits += end === -1 ? text.slice(0, MAX_LENGTH_DIGITS + 1) : text.slice(0, end);
    if (!/^\d{0,9}$/.test(this.lengthDigits)) throw new FrameError('not a frame: its length is no number');
    if (end === -1) return '';
    if (this.lengthDigits === '') throw new FrameError('not a frame: it has no length');
    this.missing = Number(this.lengthDigits);
    this.lengthDigits = '';
    this.isSkipped = this.missing > this.maxFrameLength;
    this.isInBody = true;
    if (this.missing === 0) this.endBody();
    return text.slice(end + 1);
  }

  private readBody(text: string): string {
    const part = text.slice(0, this.missing);
    this.missing -= part.length;
    if (this.isSkipped) this.parts = [(this.parts.join('') + part).slice(-TAIL_LENGTH)];
    else this.parts.push(part);
    if (this.missing === 0) this.endBody();
    return text.slice(part.length);
  }

  private endBody(): void {
    const body = this.parts.join('');
    this.parts = [];
    this.isInBody = false;
    if (this.isSkipped) this.sink.oversized(body);
    else this.sink.frame(body);
  }
}
