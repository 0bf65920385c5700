import { setTimeout as sleep } from 'node:timers/promises';
import type { CommanderClient } from '../../src/sdk/commander-client.js';
import type { CommanderSlot } from './commander-slot.js';

const TIMEOUT_MS = 60_000;
const PAUSE_MS = 50;
/** What another replica, or the same one later, may answer otherwise. */
const TRANSIENT: readonly string[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'SHUTTING_DOWN'];

/** Commands that any replica of a fleet may carry out. */
export class AnyCommander {
  private turn = 0;

  constructor(private readonly slots: readonly CommanderSlot[]) {}

  /** Asks one of them, and another one when that fails. Rejects with the last failure after a minute. */
  async ask<Reply>(command: (client: CommanderClient) => Promise<Reply>): Promise<Reply> {
    const deadlineAt = performance.now() + TIMEOUT_MS;
    for (;;) {
      const { client } = this.slots[(this.turn += 1) % this.slots.length];
      try {
        return await command(client);
      } catch (error) {
        const isTransient = TRANSIENT.includes(String((error as { code?: unknown }).code));
        if (!isTransient || performance.now() > deadlineAt) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }
}
