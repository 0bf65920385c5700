import { StringDecoder } from 'node:string_decoder';

/** Digits that the length of a frame may have; longer runs are refused while they are read. */
const MAX_LENGTH_DIGITS = 10;
/** Pieces of an unfinished frame that are kept apart before they are joined: bounds what a byte trickle costs in memory. */
const MAX_LOOSE_PIECES = 1_024;
const CODE_0 = 48;
const CODE_HASH = 35;

export type FrameErrorReason = 'malformed-frame' | 'oversized-frame';

/** The bytes of a connection are not a frame that is served. Nothing after it on the connection can be understood. */
export class FrameError extends Error {
  override readonly name = 'FrameError';

  constructor(
    readonly reason: FrameErrorReason,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Cuts a byte stream into Nest's TCP frames: `<length>#<json>`, the length in UTF-16 code units of the JSON text.
 *
 * Every byte is decoded once and copied at most twice, however many frames a chunk holds and however small the pieces of
 * a frame are. The reader hands frames out one by one, so that its user can stop in the middle of a chunk.
 *
 * - a length that is not digits → `malformed-frame`, as soon as the first other character is read
 * - a length beyond `maxFrameBytes`, or an endless one → `oversized-frame`, as soon as the digit that says so is read
 * - a frame whose UTF-8 is longer than `maxFrameBytes` although its length is not → `oversized-frame`
 */
export class FrameReader {
  private readonly decoder = new StringDecoder('utf8');
  /** Text under the knife, from `offset` on. */
  private text = '';
  private offset = 0;
  /** Text behind it that was not needed so far. */
  private pieces: string[] = [];
  private piecesLength = 0;
  private joinedPieces = 0;
  /** Declared length of the frame whose body is being read; -1 while its length is. */
  private bodyLength = -1;
  private declared = 0;
  private digits = 0;

  constructor(private readonly maxFrameBytes: number) {}

  /** Whether a frame has begun and is not complete, or complete frames wait. */
  get hasUnread(): boolean {
    return this.unreadLength > 0 || this.digits > 0 || this.bodyLength >= 0;
  }

  /** UTF-16 code units held. */
  get unreadLength(): number {
    return this.text.length - this.offset + this.piecesLength;
  }

  /**
   * Adds what was received.
   * @throws FrameError when a frame begins with a piece of a character: it would hide from the frame timeout
   */
  push(chunk: Buffer): void {
    const decoded = this.decoder.write(chunk);
    if (decoded === '' && !this.hasUnread)
      throw new FrameError('malformed-frame', 'the length of a frame is not a number');
    if (this.offset === this.text.length && this.pieces.length === 0) {
      this.text = decoded;
      this.offset = 0;
      return;
    }
    this.pieces.push(decoded);
    this.piecesLength += decoded.length;
    if (this.pieces.length - this.joinedPieces >= MAX_LOOSE_PIECES) {
      this.pieces.push(this.pieces.splice(this.joinedPieces).join(''));
      this.joinedPieces++;
    }
  }

  /**
   * The JSON text of the next complete frame, or undefined when more must be received first.
   * @throws FrameError when the stream cannot be understood any further
   */
  next(): string | undefined {
    if (this.bodyLength < 0 && !this.readLength()) return undefined;
    const { bodyLength } = this;
    if (this.unreadLength < bodyLength) return undefined;
    if (this.text.length - this.offset < bodyLength) this.mergePieces();
    const end = this.offset + bodyLength;
    const body = this.text.substring(this.offset, end);
    this.offset = end;
    this.bodyLength = -1;
    // A text that was read to its end would keep a whole chunk alive while the connection idles.
    if (end === this.text.length) this.text = '';
    if (this.text === '') this.offset = 0;
    // A code unit is at most three bytes of UTF-8: short frames need no second look.
    if (bodyLength * 3 > this.maxFrameBytes) this.assertBytes(body);
    return body;
  }

  /** Forgets everything: the connection is closing. */
  clear(): void {
    this.text = '';
    this.offset = 0;
    this.pieces = [];
    this.piecesLength = 0;
    this.joinedPieces = 0;
    this.bodyLength = -1;
    this.declared = 0;
    this.digits = 0;
  }

  /** Reads digits up to the `#`; false when they are not all there. */
  private readLength(): boolean {
    for (;;) {
      while (this.offset < this.text.length) {
        const code = this.text.charCodeAt(this.offset++);
        if (code === CODE_HASH && this.digits > 0) {
          this.bodyLength = this.declared;
          this.declared = 0;
          this.digits = 0;
          return true;
        }
        const digit = code - CODE_0;
        if (digit < 0 || digit > 9) throw new FrameError('malformed-frame', 'the length of a frame is not a number');
        this.declared = this.declared * 10 + digit;
        if (this.declared > this.maxFrameBytes || ++this.digits > MAX_LENGTH_DIGITS) {
          throw new FrameError('oversized-frame', `the declared length is beyond ${this.maxFrameBytes}`);
        }
      }
      if (this.pieces.length === 0) return false;
      this.mergePieces();
    }
  }

  private mergePieces(): void {
    const rest = this.offset === this.text.length ? '' : this.text.substring(this.offset);
    this.text = rest + this.pieces.join('');
    this.offset = 0;
    this.pieces = [];
    this.piecesLength = 0;
    this.joinedPieces = 0;
  }

  private assertBytes(body: string): void {
    if (Buffer.byteLength(body) > this.maxFrameBytes) {
      throw new FrameError('oversized-frame', `the frame is longer than ${this.maxFrameBytes} bytes`);
    }
  }
}
