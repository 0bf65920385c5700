import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../contract/command-error.js';
import type { CommanderClient } from '../sdk/commander-client.js';
import type { CliAnswer } from './cli-command.js';
import { type CommandLine, readCommandLine } from './command-line.js';
import { errorText } from './error-text.js';
import { helpText } from './help-text.js';
import { printable, printableJson } from './output/printable.js';
import { terminalOf } from './output/terminal.js';
import { tlsFrom } from './tls-files.js';
import { UsageError } from './usage.error.js';
import { writeText } from './write-text.js';

/** 0: done · 1: commander refused, or could not be reached · 2: the command line is wrong, nothing was sent. */
export type ExitCode = 0 | 1 | 2;

/** Somebody waits at the other end: a replica being replaced is worth a moment, an absent commander is not. */
const MAX_REPEATS = 3;
const REPLY_WITHIN_MS = 5_000;

type Command = CommandLine & { kind: 'command' };

/** Does what the words after the program's name say; all it opened is closed when it resolves. Never rejects. */
export async function runProgram(argv: readonly string[]): Promise<ExitCode> {
  let asked: CommandLine;
  try {
    asked = readCommandLine(argv);
  } catch (error) {
    return failed(error, false);
  }
  try {
    if (asked.kind === 'help') return await written(helpText(asked.about));
    if (asked.kind === 'version') return await written(ownVersion());
    return await printed(asked, await executed(asked));
  } catch (error) {
    return failed(error, asked.global.json === true, asked.kind === 'command' ? asked.name : '');
  }
}

async function executed({ command, words, options, global }: Command): Promise<CliAnswer> {
  let opened: CommanderClient | undefined;
  try {
    return await command.run({
      words,
      options,
      client: async () => (opened ??= await newClient(global)),
      token: global.token,
      json: global.json === true,
      within: (defaultMs = REPLY_WITHIN_MS) => ({ deadlineMs: global.timeout ?? defaultMs }),
    });
  } finally {
    await opened?.close();
  }
}

async function newClient({ host, port, namespace, token, ...global }: Command['global']): Promise<CommanderClient> {
  // Loaded when needed: help and wrong usage answer without it.
  const { CommanderClient } = await import('../sdk/client.js');
  try {
    return new CommanderClient({
      host,
      port,
      namespace,
      token: token ?? (process.env.COMMANDER_TOKEN || undefined),
      maxRepeats: MAX_REPEATS,
      maxFrameBytes: global['max-frame'],
      tls: tlsFrom(global),
    });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

async function printed({ global }: Command, answer: CliAnswer): Promise<ExitCode> {
  if (global.json) {
    await writeText(process.stdout, `${printableJson(answer.reply, process.stdout.isTTY ? 2 : undefined)}\n`);
  } else {
    const text = answer.text(terminalOf(process.stdout, process.env, global.utc === true));
    if (text !== null) await writeText(process.stdout, `${text}\n`);
    if (answer.note !== undefined) await writeText(process.stderr, `${printable(answer.note)}\n`);
  }
  return answer.isBad ? 1 : 0;
}

async function written(text: string): Promise<ExitCode> {
  await writeText(process.stdout, `${text}\n`);
  return 0;
}

async function failed(error: unknown, isJson: boolean, about = ''): Promise<ExitCode> {
  if (error instanceof UsageError) {
    const help = ['mu-commander', error.about || about, '--help'].filter((word) => word !== '').join(' ');
    await writeText(process.stderr, `${printable(error.message)}\nsee: ${help}\n`).catch(() => undefined);
    return 2;
  }
  const known = CommandError.fromWire(error);
  const text = isJson
    ? printableJson(known.toWire())
    : known === error
      ? errorText(known)
      : `mu-commander: ${printable(known.message)}`;
  // With nobody left to tell there is still the exit code.
  await writeText(process.stderr, `${text}\n`).catch(() => undefined);
  return 1;
}

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string };
  return version;
}
