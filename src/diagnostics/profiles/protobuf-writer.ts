const FIRST_BYTES = 1_024;
/** Of one number at most. */
const VARINT_BYTES = 10;
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** Appends fields of a protobuf message to one growing buffer. Numbers are whole; below zero they take ten bytes, as int64 does. */
export class ProtobufWriter {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private usedBytes = 0;

  /** What was written so far. Valid until the next call. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.usedBytes);
  }

  /** A single number; 0 is what a reader takes a field for that is not there, and so is not written. */
  number(field: number, value: number | bigint): void {
    if (value === 0 || value === 0n) return;
    this.tag(field, VARINT);
    this.varint(value);
  }

  /** A list of numbers, zeros included. */
  numbers(field: number, values: readonly (number | bigint)[]): void {
    if (values.length === 0) return;
    const start = this.begin(field);
    for (const value of values) this.varint(value);
    this.end(start);
  }

  /** One element of a list of texts. */
  text(field: number, value: string): void {
    const start = this.begin(field);
    // A UTF-16 unit takes three bytes at most.
    this.reserve(3 * value.length);
    this.usedBytes += this.bytes.write(value, this.usedBytes);
    this.end(start);
  }

  /** Begins a message within this one. @returns what `end` is to be called with, after its fields */
  begin(field: number): number {
    this.tag(field, LENGTH_DELIMITED);
    this.reserve(1);
    return ++this.usedBytes;
  }

  /** Ends the message that `begin` answered with `start`. */
  end(start: number): void {
    const length = this.usedBytes - start;
    // One byte was left for the length, which is enough for most.
    const more = lengthBytes(length) - 1;
    if (more > 0) {
      this.reserve(more);
      this.bytes.copyWithin(start + more, start, this.usedBytes);
    }
    this.usedBytes = start - 1;
    this.varint(length);
    this.usedBytes += length;
  }

  private tag(field: number, type: number): void {
    this.varint(field * 8 + type);
  }

  private varint(value: number | bigint): void {
    this.reserve(VARINT_BYTES);
    if (typeof value === 'bigint' || value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 0x7fn; rest >>= 7n) this.bytes[this.usedBytes++] = Number(rest & 0x7fn) | 0x80;
      this.bytes[this.usedBytes++] = Number(rest);
      return;
    }
    let rest = value;
    // Not by shifting, which knows 32 bits only.
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.bytes[this.usedBytes++] = (rest % 0x80) | 0x80;
    this.bytes[this.usedBytes++] = rest;
  }

  private reserve(bytes: number): void {
    const needed = this.usedBytes + bytes;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.usedBytes);
    this.bytes = larger;
  }
}

function lengthBytes(length: number): number {
  let count = 1;
  for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 0x80)) count++;
  return count;
}
