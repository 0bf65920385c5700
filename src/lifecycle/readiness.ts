import type { CommandReply } from '../contract/commands.js';

/** What `/readyz`, `/livez` and `system.health` answer. */
export type HealthReport = CommandReply<'system.health'>;

/** Whether this replica takes new work, for observers that do not know who finds out. HealthModule provides it. */
export abstract class Readiness {
  /** What `/readyz` would answer now; never rejects, and settles within the deadline of the slowest check. */
  abstract check(): Promise<HealthReport>;
}
