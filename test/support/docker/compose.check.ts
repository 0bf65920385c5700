import type { BufferSettings } from '../../../src/config/memory-budget.js';
import type { Settings } from '../../../src/config/settings.js';
import { flaggedBudget } from '../manifests/memory-budget.js';

const MiB = 2 ** 20;

/** The node that HEALTHCHECK starts beside the service, at its peak. Measured; kubelets do not run it. */
export const HEALTH_CHECK_BYTES = 12 * MiB;

/** The fields of a service in compose.yaml that we look at. */
export interface ComposeService {
  image?: string;
  environment?: Record<string, string>;
  mem_limit?: string;
  memswap_limit?: string;
  stop_grace_period?: string;
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  ports?: string[];
  command?: string[];
}

/** The part of compose.yaml that we look at. */
export interface ComposeFile {
  services: { commander: ComposeService; redis: ComposeService };
}

/** What is wrong with a compose file for a commander of these settings. */
export function composeCheck(
  file: ComposeFile,
  values: BufferSettings & Pick<Settings, 'shutdownTimeoutMs'>,
): string[] {
  const { commander, redis } = file.services;
  const found: string[] = [];
  const expect = (fine: boolean, what: string) => {
    if (!fine) found.push(what);
  };

  for (const [name, service] of Object.entries(file.services)) {
    expect(service.mem_limit !== undefined, `${name}: no memory limit`);
    expect(service.memswap_limit === service.mem_limit, `${name}: may swap`);
    expect(service.read_only === true, `${name}: the root file system is writable`);
    expect(service.cap_drop?.includes('ALL') === true, `${name}: keeps capabilities`);
    expect(service.security_opt?.includes('no-new-privileges:true') === true, `${name}: may gain privileges`);
    expect(!/(:latest$|^[^:]*$)/.test(service.image ?? ''), `${name}: no fixed tag`);
    for (const port of service.ports ?? [])
      expect(port.startsWith('127.0.0.1:'), `${name}: ${port} is reachable from other hosts`);
  }
  for (const token of ['COMMANDER_TOKEN', 'DIAGNOSTICS_TOKEN']) {
    expect(commander.environment?.[token]?.startsWith(`\${${token}:?`) === true, `${token} is not asked for`);
  }
  const graceMs = Number(/^(\d+)s$/.exec(commander.stop_grace_period ?? '10s')?.[1]) * 1000;
  expect(
    graceMs >= values.shutdownTimeoutMs + 5_000,
    `grace period ${graceMs} ms, shutdown takes up to ${values.shutdownTimeoutMs} ms`,
  );

  const { sumBytes } = flaggedBudget(commander.environment?.NODE_OPTIONS ?? '', values);
  const tmpfsBytes = (commander.tmpfs ?? []).reduce((sum, entry) => sum + megabytes(/size=(\d+m)/.exec(entry)?.[1]), 0);
  const neededBytes = sumBytes + tmpfsBytes + HEALTH_CHECK_BYTES;
  expect(
    neededBytes <= megabytes(commander.mem_limit),
    `${neededBytes / MiB} MiB at worst, limit ${commander.mem_limit}`,
  );

  const redisOption = (name: string) => redis.command?.[redis.command.indexOf(name) + 1];
  expect(redisOption('--appendonly') === 'yes', 'redis: forgets everything when it stops');
  expect(redisOption('--maxmemory-policy') === 'noeviction', 'redis: may drop schedules to make room');
  return found;
}

function megabytes(text: string | undefined): number {
  const match = /^(\d+)m$/.exec(text ?? '');
  return match === null ? Infinity : Number(match[1]) * MiB;
}
