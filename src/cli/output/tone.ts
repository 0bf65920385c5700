import type { Terminal } from './terminal.js';

const SEQUENCES = { strong: [1, 22], faint: [2, 22], good: [32, 39], bad: [31, 39], doubtful: [33, 39] } as const;

/** How a piece of text is meant. */
export type Tone = keyof typeof SEQUENCES;

/** Gives the text its colour, where there are colours. */
export function paint(text: string, tone: Tone | undefined, terminal: Terminal): string {
  if (tone === undefined || !terminal.hasColour) return text;
  const [on, off] = SEQUENCES[tone];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
