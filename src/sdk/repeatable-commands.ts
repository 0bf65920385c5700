import type { CommandInput, CommandName } from '../contract/commands.js';

/**
 * Whether a command whose reply was lost may be sent once more. `read`: changes nothing. `idempotent`: the second time
 * leaves what the first time left. `keyed`: only with an idempotency key. `once`: never.
 */
type Repeat = 'read' | 'idempotent' | 'keyed' | 'once';

/** `diagnostics.*` is not listed: it only ever looks. */
const repeats: Record<Exclude<CommandName, `diagnostics.${string}`>, Repeat> = {
  'schedule.upsert': 'idempotent',
  'schedule.get': 'read',
  'schedule.list': 'read',
  'schedule.remove': 'once',
  'schedule.pause': 'idempotent',
  'schedule.resume': 'idempotent',
  'schedule.trigger': 'keyed',
  'schedule.preview': 'read',
  'schedule.sync': 'idempotent',
  'schedule.explain': 'read',
  'job.submit': 'keyed',
  'run.get': 'read',
  'run.list': 'read',
  'run.cancel': 'once',
  'run.retry': 'once',
  'agent.register': 'idempotent',
  'agent.heartbeat': 'idempotent',
  'agent.deregister': 'once',
  'agent.drain': 'idempotent',
  'agent.undrain': 'idempotent',
  'agent.list': 'read',
  'result.get': 'read',
  'result.list': 'read',
  'system.health': 'read',
  'system.stats': 'read',
};

/** Whether a request that may have been executed already may be sent again. */
export function isRepeatable<Name extends CommandName>(name: Name, input: CommandInput<Name>): boolean {
  const { expectedVersion, idempotencyKey } = input as { expectedVersion?: number; idempotencyKey?: string };
  switch ((repeats as Partial<Record<CommandName, Repeat>>)[name]) {
    case undefined:
    case 'read':
      return true;
    case 'idempotent':
      // The version that the first one made would refuse the second.
      return expectedVersion === undefined;
    case 'keyed':
      return idempotencyKey !== undefined;
    default:
      return false;
  }
}
