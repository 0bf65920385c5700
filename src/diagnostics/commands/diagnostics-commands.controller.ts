import { Controller, Inject } from '@nestjs/common';
import type { CommandReply, CommandRequest } from '../../contract/commands.js';
import { Command } from '../../transport/command.decorator.js';
import { Diagnostics } from '../diagnostics.js';

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
  async history({ from, step }: CommandRequest<'diagnostics.history'>): Promise<CommandReply<'diagnostics.history'>> {
    return this.diagnostics.history.readWithin(MAX_HISTORY_BYTES, { from, step });
  }

  @Command('diagnostics.lives')
  async lives(): Promise<CommandReply<'diagnostics.lives'>> {
    const { takenAt, current, previous } = await this.diagnostics.lives.read();
    return { takenAt, current, previous: previous.slice(0, MAX_LIVES) };
  }
}
