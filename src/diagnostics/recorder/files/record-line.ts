import { crc32 } from 'node:zlib';

const LINE_FEED = 0x0a;

/**
 * One record as a line: the CRC-32 of its JSON in eight hex digits, a space, the JSON, a line feed. JSON holds no line feed
 * of its own, so whatever a kill or a bad disk did to one line, the next one can be read.
 */
export function recordLine(record: unknown): Buffer {
  const json = JSON.stringify(record);
  return Buffer.from(`${checksum(json)} ${json}\n`);
}

/**
 * The records of a piece of such a file, in order. A torn end, a beginning in the middle of a line, and lines whose checksum
 * is wrong are left out.
 */
export function parsedLines(bytes: Buffer): unknown[] {
  const records: unknown[] = [];
  for (let start = 0, end; (end = bytes.indexOf(LINE_FEED, start)) >= 0; start = end + 1) {
    const line = bytes.toString('utf8', start, end);
    const json = line.slice(9);
    // The checksum of nothing is 0, which zeros in a damaged file would match.
    if (json === '' || line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) continue;
    records.push(JSON.parse(json));
  }
  return records;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
