/*
 * Fields of a protobuf message as text, one character (0 … 255) for each byte; `bytesOf` makes the message of it. Numbers are
 * whole; below zero they take ten bytes, as int64 does. Numbers of fields are 1 … 15, so that a tag is one byte.
 *
 * Text, because the first profile of a process is encoded before any of this is compiled. Until then to put one byte into a buffer
 * costs as much as to join two texts of any length; and what is called for each byte is soon so hot that V8's compiler goes to
 * work on it, with all that it calls: that cost more than the profile.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** Below this a number takes one byte. */
const ONE_BYTE = 0x80;
/** What 32 bits hold with a sign. */
const SMALL = 2 ** 31;

/** So many numbers are looked up: lengths, as a rule. */
const KNOWN_COUNT = 512;
const KNOWN: readonly string[] = Array.from({ length: KNOWN_COUNT }, (_, value) => written(value));

/** What stands before a number in a field of its own. */
export function numberTag(field: number): string {
  return String.fromCharCode(field * 8 + VARINT);
}

/** What stands before a text, a message or a list of numbers, and its length. */
export function lengthTag(field: number): string {
  return String.fromCharCode(field * 8 + LENGTH_DELIMITED);
}

/** A number, anywhere. Short: V8's compiler takes it into whatever calls it, as often as it is called there. */
export function varint(value: number | bigint): string {
  return value >= 0 && value < KNOWN_COUNT ? KNOWN[value as number]! : written(value);
}

function written(value: number | bigint): string {
  if (typeof value === 'bigint' || value < 0) return longVarint(BigInt.asUintN(64, BigInt(value)));
  if (value < ONE_BYTE) return String.fromCharCode(value);
  if (value < ONE_BYTE * ONE_BYTE) return String.fromCharCode((value & 0x7f) | ONE_BYTE, value >>> 7);
  let text = '';
  let rest = value;
  // Not by shifting, which knows 32 bits only.
  for (; rest >= SMALL; rest = Math.floor(rest / ONE_BYTE)) text += String.fromCharCode((rest % ONE_BYTE) | ONE_BYTE);
  for (; rest >= ONE_BYTE; rest >>>= 7) text += String.fromCharCode((rest & 0x7f) | ONE_BYTE);
  return text + String.fromCharCode(rest);
}

/** What `fixed` takes. */
export const FIXED_BYTES = 4;

/** A number below 2²⁸ with as many bytes as any other: what the length of a message can be known from. */
export function fixed(value: number): string {
  return String.fromCharCode(
    (value & 0x7f) | ONE_BYTE,
    ((value >>> 7) & 0x7f) | ONE_BYTE,
    ((value >>> 14) & 0x7f) | ONE_BYTE,
    (value >>> 21) & 0x7f,
  );
}

/** Numbers one after the other, zeros included. */
export function varints(values: readonly number[]): string {
  let text = '';
  for (let at = 0; at < values.length; at++) text += varint(values[at]!);
  return text;
}

/** A single number; 0 is what a reader takes a field for that is not there, and so is not written. */
export function numberField(field: number, value: number | bigint): string {
  return value === 0 || value === 0n ? '' : numberTag(field) + varint(value);
}

/** A message or a list of numbers, as text. */
export function lengthField(field: number, content: string): string {
  return lengthTag(field) + varint(content.length) + content;
}

/** A list of texts. */
export function textsField(field: number, values: readonly string[]): string {
  const tag = lengthTag(field);
  /** Tag and length of a text, by its length. */
  const heads: (string | undefined)[] = [];
  let all = '';
  // Bytes of lengths that are no ASCII.
  let highCount = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    const { length } = value;
    if (length >= ONE_BYTE) highCount += varint(length).length - 1;
    all += (heads[length] ??= tag + varint(length)) + value;
  }
  // Each character of each takes one byte, as a rule: to ask for all at once costs least.
  if (Buffer.byteLength(all) === all.length + highCount) return all;
  return values.map((value) => lengthField(field, Buffer.from(value).toString('latin1'))).join('');
}

/** The message. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function longVarint(value: bigint): string {
  let text = '';
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) text += String.fromCharCode(Number(rest & 0x7fn) | ONE_BYTE);
  return text + String.fromCharCode(Number(rest));
}
