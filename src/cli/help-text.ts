import { type CliCommand, type CliGroup, DEFAULT_ACTION } from './cli-command.js';
import type { CliOption } from './cli-option.js';
import { commandTable, isGroup } from './command-table.js';
import { globalOptions } from './global-options.js';

const PROGRAM = 'mu-commander';

/**
 * How a command (`schedules pause`), a group (`schedules`) or the program is used: whatever the words name, the closest
 * there is.
 */
export function helpText(about: string): string {
  const [first = '', second] = about.split(' ');
  const entry = Object.hasOwn(commandTable, first) ? commandTable[first] : undefined;
  if (entry === undefined) return programHelp();
  if (!isGroup(entry)) return commandHelp(first, entry);
  const action = second !== undefined && Object.hasOwn(entry.actions, second) ? entry.actions[second] : undefined;
  return action === undefined ? groupHelp(first, entry) : commandHelp(`${first} ${second}`, action);
}

function programHelp(): string {
  const rows = Object.entries(commandTable).flatMap(([name, entry]): [string, string][] =>
    isGroup(entry) ? groupRows(name, entry) : [[synopsis(name, entry), entry.summary]],
  );
  return [
    `Usage: ${PROGRAM} COMMAND [options]`,
    block('Commands', rows),
    block('Options of every command', optionRows(globalOptions)),
    [
      `${PROGRAM} COMMAND --help tells the options of a command.`,
      'Durations: 500ms, 30s, 5m, 1h, 2d. Instants: ISO 8601 with a zone, or ms since the epoch.',
      'Exit codes: 0 done; 1 commander refused, or could not be reached; 2 wrong usage, nothing was sent.',
    ].join('\n'),
  ].join('\n\n');
}

function groupHelp(name: string, group: CliGroup): string {
  return [
    `Usage: ${PROGRAM} ${name} COMMAND [options]`,
    sentence(group.summary),
    block('Commands', groupRows(name, group)),
    `${PROGRAM} ${name} COMMAND --help tells the options of a command.`,
  ].join('\n\n');
}

/** `list` is meant when nothing is said, so its second word is optional. */
function groupRows(name: string, { actions }: CliGroup): [string, string][] {
  return Object.entries(actions).map(([action, command]) => [
    synopsis(action === DEFAULT_ACTION ? `${name} [${action}]` : `${name} ${action}`, command),
    command.summary,
  ]);
}

function commandHelp(name: string, command: CliCommand): string {
  const { summary, words, options } = command;
  return [
    `Usage: ${PROGRAM} ${synopsis(name, command)} [options]`,
    sentence(summary),
    block(
      'Words',
      words.map((word): [string, string] => [word.name, word.summary]),
    ),
    block('Options', optionRows(options)),
    block('Options of every command', optionRows(globalOptions)),
  ]
    .filter((piece) => piece !== '')
    .join('\n\n');
}

function sentence(phrase: string): string {
  return `${phrase[0].toUpperCase()}${phrase.slice(1)}.`;
}

function synopsis(name: string, { words }: CliCommand): string {
  return [name, ...words.map((word) => (word.isOptional ? `[${word.name}]` : word.name))].join(' ');
}

function optionRows(options: Readonly<Record<string, CliOption<unknown>>>): [string, string][] {
  return Object.entries(options).map(([name, { placeholder, summary }]) => [
    placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`,
    summary,
  ]);
}

function block(title: string, rows: readonly [string, string][]): string {
  if (rows.length === 0) return '';
  const width = Math.max(...rows.map(([left]) => left.length));
  return [`${title}:`, ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)].join('\n');
}
