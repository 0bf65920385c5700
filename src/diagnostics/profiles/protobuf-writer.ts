const FIRST_BYTES = 16_384;
/** Of one number, or a tag, at most. */
const VARINT_BYTES = 10;
const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** Below this a number takes one byte. */
const ONE_BYTE = 0x80;
/** What 32 bits hold with a sign. */
const SMALL = 2 ** 31;

/**
 * Appends fields of a protobuf message to one growing buffer. Numbers are whole; below zero they take ten bytes, as int64 does.
 *
 * Numbers of fields are 1 … 15, so that a tag is one byte. What is written most is written in few calls: the first profile of a
 * process is encoded before any of this is compiled, and until then a call costs more than what it does.
 */
export class ProtobufWriter {
  private bytes = Buffer.alloc(0);
  private usedBytes = 0;

  constructor() {
    // Not a field that never changes, even for V8: else all that is compiled is thrown away when the buffer grows.
    this.grow(FIRST_BYTES);
  }

  /** What was written so far. Valid until the next call. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.usedBytes);
  }

  /** A single number; 0 is what a reader takes a field for that is not there, and so is not written. */
  number(field: number, value: number | bigint): void {
    if (value === 0 || value === 0n) return;
    if (this.usedBytes + 1 + VARINT_BYTES > this.bytes.length) this.grow(1 + VARINT_BYTES);
    this.bytes[this.usedBytes++] = field * 8 + VARINT;
    if (typeof value === 'number' && value > 0 && value < ONE_BYTE) this.bytes[this.usedBytes++] = value;
    else this.varint(value);
  }

  /** A list of numbers, zeros included. */
  numbers(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    const start = this.begin(field);
    const most = VARINT_BYTES * values.length;
    if (this.usedBytes + most > this.bytes.length) this.grow(most);
    for (const value of values) {
      if (value >= 0 && value < ONE_BYTE) this.bytes[this.usedBytes++] = value;
      else this.varint(value);
    }
    this.end(start);
  }

  /** A message of single numbers. @param fields of each its field, then its value */
  message(field: number, fields: readonly number[]): void {
    const start = this.begin(field);
    const most = VARINT_BYTES * fields.length;
    if (this.usedBytes + most > this.bytes.length) this.grow(most);
    for (let at = 0; at < fields.length; at += 2) {
      const value = fields[at + 1]!;
      if (value === 0) continue;
      this.bytes[this.usedBytes++] = fields[at]! * 8 + VARINT;
      if (value > 0 && value < ONE_BYTE) this.bytes[this.usedBytes++] = value;
      else this.varint(value);
    }
    this.end(start);
  }

  /** A list of texts. */
  texts(field: number, values: Iterable<string>): void {
    const list = [...values];
    if (!this.asciiTexts(field, list)) for (const value of list) this.text(field, value);
  }

  /** Begins a message within this one. @returns what `end` is to be called with, after its fields */
  begin(field: number): number {
    if (this.usedBytes + 2 > this.bytes.length) this.grow(2);
    this.bytes[this.usedBytes++] = field * 8 + LENGTH_DELIMITED;
    return ++this.usedBytes;
  }

  /** Ends the message that `begin` answered with `start`. */
  end(start: number): void {
    const length = this.usedBytes - start;
    if (length < ONE_BYTE) {
      this.bytes[start - 1] = length;
      return;
    }
    // One byte was left for the length, which is enough for most.
    const more = lengthBytes(length) - 1;
    if (this.usedBytes + more > this.bytes.length) this.grow(more);
    this.bytes.copyWithin(start + more, start, this.usedBytes);
    this.usedBytes = start - 1;
    this.varint(length);
    this.usedBytes += length;
  }

  /** All in one go, where each character of each takes one byte. @returns false where one does not: nothing was written */
  private asciiTexts(field: number, values: readonly string[]): boolean {
    /** Tag and length of a text, by its length. */
    const heads: (string | undefined)[] = [];
    let all = '';
    // Bytes of lengths that are no ASCII.
    let highCount = 0;
    for (const value of values) {
      const { length } = value;
      if (length >= ONE_BYTE) highCount += lengthBytes(length) - 1;
      all += (heads[length] ??= headOf(field, length)) + value;
    }
    if (Buffer.byteLength(all) !== all.length + highCount) return false;
    if (this.usedBytes + all.length > this.bytes.length) this.grow(all.length);
    this.usedBytes += this.bytes.write(all, this.usedBytes, 'latin1');
    return true;
  }

  private text(field: number, value: string): void {
    const start = this.begin(field);
    // A UTF-16 unit takes three bytes at most.
    const most = 3 * value.length;
    if (this.usedBytes + most > this.bytes.length) this.grow(most);
    this.usedBytes += this.bytes.write(value, this.usedBytes);
    this.end(start);
  }

  /** There is room for it. */
  private varint(value: number | bigint): void {
    if (typeof value === 'bigint' || value < 0) {
      this.longVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    let rest = value;
    // Not by shifting, which knows 32 bits only.
    for (; rest >= SMALL; rest = Math.floor(rest / ONE_BYTE))
      this.bytes[this.usedBytes++] = (rest % ONE_BYTE) | ONE_BYTE;
    for (; rest >= ONE_BYTE; rest >>>= 7) this.bytes[this.usedBytes++] = (rest & 0x7f) | ONE_BYTE;
    this.bytes[this.usedBytes++] = rest;
  }

  private longVarint(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.bytes[this.usedBytes++] = Number(rest & 0x7fn) | ONE_BYTE;
    this.bytes[this.usedBytes++] = Number(rest);
  }

  /** So that `bytes` more have room. */
  private grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.usedBytes + bytes, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.usedBytes);
    this.bytes = larger;
  }
}

/** One character for each byte. */
function headOf(field: number, length: number): string {
  const bytes = [field * 8 + LENGTH_DELIMITED];
  let rest = length;
  for (; rest >= ONE_BYTE; rest = Math.floor(rest / ONE_BYTE)) bytes.push((rest % ONE_BYTE) + ONE_BYTE);
  return String.fromCharCode(...bytes, rest);
}

function lengthBytes(length: number): number {
  let count = 1;
  for (let rest = length; rest >= ONE_BYTE; rest = Math.floor(rest / ONE_BYTE)) count++;
  return count;
}
