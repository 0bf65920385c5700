import { Controller, Inject } from '@nestjs/common';
import { CommandError } from '../../contract/command-error.js';
import type { CommandReply, CommandRequest } from '../../contract/commands.js';
import { Command } from '../../transport/command.decorator.js';
import { Diagnostics } from '../diagnostics.js';
import { HttpRefusal } from '../http/http-refusal.js';

/** Longest history that is answered: with what else a reply holds it must fit into the smallest MAX_SEND_BUFFER_BYTES. */
const MAX_HISTORY_BYTES = 48 * 1_024;

/** Lives before the present one that are answered, for the same reason. */
const MAX_LIVES = 5;

/**
 * `diagnostics.*`: the answers of the HTTP side over TCP, for when that is wedged. Not part of DiagnosticsModule by itself,
 * which works in applications without our transport: give it in `controllers`.
 */
@Controller()
export class DiagnosticsCommandsController {
  constructor(@Inject(Diagnostics) private readonly diagnostics: Diagnostics) {}

  @Command('diagnostics.summary')
  async summary(): Promise<CommandReply<'diagnostics.summary'>> {
    return this.diagnostics.summary.read();
  }

  @Command('diagnostics.verdicts')
  async verdicts({
    state,
    limit,
  }: CommandRequest<'diagnostics.verdicts'>): Promise<CommandReply<'diagnostics.verdicts'>> {
    return this.diagnostics.verdicts.read({ state, limit });
  }

  @Command('diagnostics.groups')
  async groups({
    kind,
    min,
    sort,
    limit,
  }: CommandRequest<'diagnostics.groups'>): Promise<CommandReply<'diagnostics.groups'>> {
    return this.diagnostics.groups.list({ kind, min, sort, limit });
  }

  @Command('diagnostics.history')
  async history(asked: CommandRequest<'diagnostics.history'>): Promise<CommandReply<'diagnostics.history'>> {
    const { from, step, life, instance } = asked;
    const { history } = this.diagnostics;
    if (life === undefined && instance !== undefined)
      throw new CommandError('INVALID_ARGUMENT', 'instance: tell which of its lives, by life');
    if (life === undefined || history.isOwn(life)) return history.readWithin(MAX_HISTORY_BYTES, { from, step });
    const past = await history.past({ life, instance, from, step }).catch((error: unknown) => {
      throw error instanceof HttpRefusal ? new CommandError('UNAVAILABLE', error.message) : error;
    });
    if (past === null) throw new CommandError('NOT_FOUND', 'nothing is kept of a life with this id');
    return history.readWithin(MAX_HISTORY_BYTES, { step }, past);
  }

  @Command('diagnostics.lives')
  async lives({ instance }: CommandRequest<'diagnostics.lives'>): Promise<CommandReply<'diagnostics.lives'>> {
    const lives = await this.diagnostics.lives.read({ instance });
    return { ...lives, previous: lives.previous.slice(0, MAX_LIVES) };
  }
}
