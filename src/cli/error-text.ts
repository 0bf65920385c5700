import type { CommandError } from '../contract/command-error.js';
import { printable, printableJson } from './output/printable.js';

/** `CODE: message`, and below it what the details tell, one fact a line. */
export function errorText({ code, message, details = {} }: CommandError): string {
  const lines = [`${code}: ${printable(message)}`];
  for (const [name, value] of Object.entries(details)) {
    // A single issue is the message already.
    if (name === 'issues' && Array.isArray(value))
      lines.push(...value.map(issueText).filter((text) => !lines[0].includes(text.trim())));
    // Whether it was sent is for a program that decides about a repeat.
    else if (name !== 'sent') lines.push(`  ${printable(name)}: ${printableJson(value)}`);
  }
  return lines.join('\n');
}

function issueText(issue: { path?: unknown; message?: unknown }): string {
  const { path = '', message = '' } = Object(issue) as { path?: unknown; message?: unknown };
  return `  ${printable(path === '' ? String(message) : `${String(path)}: ${String(message)}`)}`;
}
