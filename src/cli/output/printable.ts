// What moves the cursor, changes colours or turns the direction of writing: text of crawled pages must not do that.
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const WHITE_CONTROLS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/** Makes a text of foreign origin safe for a terminal, and one line of it. */
export function printable(text: string): string {
  return text.replace(WHITE_CONTROLS, ' ').replace(CONTROLS, escapeUnit);
}

/** JSON that is safe for a terminal and still the same value to a parser. */
export function printableJson(value: unknown, indent?: number): string {
  // JSON.stringify escapes below U+0020 itself; the line breaks it adds are its own.
  return JSON.stringify(value, null, indent).replace(CONTROLS, (unit) => (unit === '\n' ? unit : escapeUnit(unit)));
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
