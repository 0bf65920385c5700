import { parseArgs } from 'node:util';
import { type CliCommand, type CliGroup, DEFAULT_ACTION } from './cli-command.js';
import type { CliOption } from './cli-option.js';
import { allCommands, commandTable, isGroup } from './command-table.js';
import { globalOptions } from './global-options.js';
import { UsageError } from './usage.error.js';

type GlobalValues = {
  readonly [Name in keyof typeof globalOptions]?: (typeof globalOptions)[Name] extends CliOption<infer Value>
    ? Value
    : never;
};

/** What was asked for: a command, or help about the words in `about` (perhaps none), or the version. */
export type CommandLine = { global: GlobalValues } & (
  | { kind: 'command'; name: string; command: CliCommand; words: string[]; options: Record<string, unknown> }
  | { kind: 'help'; about: string }
  | { kind: 'version' }
);

/** Reads the words after the program's name. @throws UsageError */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const { values, positionals } = tokenize(argv);
  const [first, second] = positionals;
  const entry = first === undefined ? undefined : lookUp(commandTable, first);
  if (values.help) return { kind: 'help', about: positionals.slice(0, 2).join(' '), global: {} };
  if (values.version) return { kind: 'version', global: {} };
  if (first === undefined) throw new UsageError(`no command: ${Object.keys(commandTable).join(', ')}`);
  if (entry === undefined) {
    throw new UsageError(`no command ${JSON.stringify(first)}: ${Object.keys(commandTable).join(', ')}`);
  }
  const name = nameOf(first, entry, second);
  const command = allCommands().get(name);
  if (!command) {
    const actions = Object.keys((entry as CliGroup).actions).join(', ');
    throw new UsageError(
      second === undefined ? `${first} what? ${actions}` : `${first} has no ${JSON.stringify(second)}: ${actions}`,
      first,
    );
  }
  const words = positionals.slice(isGroup(entry) ? 2 : 1);
  assertWords(name, command, words);
  const known = new Set([...Object.keys(command.options), ...Object.keys(globalOptions)]);
  const stranger = Object.keys(values).find((option) => !known.has(option));
  if (stranger !== undefined) throw new UsageError(`${name} has no option --${stranger}`, name);
  return {
    kind: 'command',
    name,
    command,
    words,
    options: readValues(command.options, values, name),
    global: readValues(globalOptions, values, name),
  };
}

function tokenize(argv: readonly string[]): { values: Record<string, unknown>; positionals: string[] } {
  // All options at once: where the command stands among them is known only after this.
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const declared of [...[...allCommands().values()].map((command) => command.options), globalOptions]) {
    for (const [name, { placeholder }] of Object.entries(declared)) {
      options[name] = { type: placeholder === undefined ? 'boolean' : 'string' };
    }
  }
  options.help.short = 'h';
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Its own message, up to the hint about how to pass a positional that looks like an option.
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]);
  }
}

function nameOf(first: string, entry: CliCommand | CliGroup, second: string | undefined): string {
  return isGroup(entry) ? `${first} ${second ?? DEFAULT_ACTION}` : first;
}

function lookUp<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function assertWords(name: string, command: CliCommand, words: readonly string[]): void {
  const missing = command.words.slice(words.length).find(({ isOptional }) => !isOptional);
  if (missing) throw new UsageError(`${name}: ${missing.name} is missing (${missing.summary})`, name);
  if (words.length > command.words.length) {
    throw new UsageError(`${name}: ${JSON.stringify(words[command.words.length])} is one word too many`, name);
  }
}

function readValues<Options extends Readonly<Record<string, CliOption<unknown>>>>(
  options: Options,
  values: Record<string, unknown>,
  name: string,
): { [Name in keyof Options]?: Options[Name] extends CliOption<infer Value> ? Value : never } {
  const read: Record<string, unknown> = {};
  for (const [option, { read: reader }] of Object.entries(options)) {
    const value = values[option];
    if (value === undefined) continue;
    try {
      read[option] = reader(String(value));
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`--${option}: ${error.message}`, name);
      throw error;
    }
  }
  return read as never;
}
