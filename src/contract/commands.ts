import type { z } from 'zod';
import { agentCommands } from './agent.schema.js';
import { diagnosticsCommands } from './diagnostics.schema.js';
import { resultCommands } from './result.schema.js';
import { runCommands } from './run.schema.js';
import { scheduleCommands } from './schedule.schema.js';
import { systemCommands } from './system.schema.js';

/** Every command that commander serves over TCP: pattern → request and reply schema. */
export const commands = {
  ...scheduleCommands,
  ...runCommands,
  ...agentCommands,
  ...resultCommands,
  ...systemCommands,
  ...diagnosticsCommands,
} as const;

export type CommandName = keyof typeof commands;
/** What a handler receives: validated, defaults filled in. */
export type CommandRequest<Name extends CommandName> = z.output<(typeof commands)[Name]['request']>;
/** What a caller sends: defaults may be left out. */
export type CommandInput<Name extends CommandName> = z.input<(typeof commands)[Name]['request']>;
export type CommandReply<Name extends CommandName> = z.output<(typeof commands)[Name]['reply']>;

/**
 * Commands whose reply may be much longer than their request: a page of records, or one record with the payload or result
 * that was stored with it. All others answer with little.
 */
export const longReplies: Readonly<Partial<Record<CommandName, 'page' | 'record'>>> = {
  'schedule.list': 'page',
  'schedule.sync': 'page',
  'schedule.explain': 'page',
  'run.list': 'page',
  'agent.list': 'page',
  'result.list': 'page',
  'diagnostics.groups': 'page',
  'schedule.get': 'record',
  'schedule.pause': 'record',
  'schedule.resume': 'record',
  'run.get': 'record',
  'result.get': 'record',
};
