import type { CallOptions } from '../sdk/command-group.js';
import type { CommanderClient } from '../sdk/commander-client.js';
import type { CliOption } from './cli-option.js';
import type { Terminal } from './output/terminal.js';

/** A word after the command's name. Those that may be left out come last. */
export interface CliWord {
  name: string;
  summary: string;
  isOptional?: true;
}

/** What was typed after the name of a command, and the way to commander. */
export interface CliCall<Options = Record<string, unknown>> {
  readonly words: readonly string[];
  readonly options: Options;
  /** Connects with its first request; closed when the command has ended. A command that never asks opens nothing. */
  client(): Promise<CommanderClient>;
  /** `--token`, of whatever is asked. */
  readonly token: string | undefined;
  /** `--json`. */
  readonly json: boolean;
  /** The deadline of a request: `--timeout`, or without it this many ms (5,000 by default). */
  within(defaultMs?: number): CallOptions & { deadlineMs: number };
}

/** What a command found out. */
export interface CliAnswer {
  /** Printed by `--json`: the reply of the contract, of a list all pages as one. */
  reply: unknown;
  /** For people, without a line break at the end; null when the command has shown all there is. */
  text(terminal: Terminal): string | null;
  /** One line beside the text, for people; it goes to stderr, so that a pipe gets the table alone. */
  note?: string;
  /** The command was answered, and the answer is bad news: exit code 1. */
  isBad?: boolean;
}

/** One command of the terminal. */
export interface CliCommand {
  summary: string;
  words: readonly CliWord[];
  options: Readonly<Record<string, CliOption<unknown>>>;
  run(call: CliCall): Promise<CliAnswer>;
}

/** The action that is meant when a group is named alone. */
export const DEFAULT_ACTION = 'list';

/** Commands behind one word. */
export interface CliGroup {
  summary: string;
  actions: Readonly<Record<string, CliCommand>>;
}

type OptionValues<Options> = {
  readonly [Name in keyof Options]?: Options[Name] extends CliOption<infer Value> ? Value : never;
};

/** Declares a command; `run` sees each option with the type that its reader makes. */
export function defineCommand<Options extends Record<string, CliOption<unknown>> = Record<never, never>>(declared: {
  summary: string;
  words?: readonly CliWord[];
  options?: Options;
  run(call: CliCall<OptionValues<Options>>): Promise<CliAnswer>;
}): CliCommand {
  const { summary, words = [], options = {}, run } = declared;
  // The parser fills in just the options declared here, each through its reader.
  return { summary, words, options, run: (call) => run(call as CliCall<OptionValues<Options>>) };
}
