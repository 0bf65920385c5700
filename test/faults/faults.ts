import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultFleet } from './fault-fleet.js';
import { liesOf } from './lies.js';
import { ProxiedRedis, type RedisUnderFault, SentinelRedis } from './redis-under-fault.js';

/** What the runner of a cell is told while a fault goes on. */
export interface FaultEvents {
  /** From now on it counts how long the fleet takes to recover. Called once. */
  counting(): void;
}

/** One thing that breaks. */
export interface Fault {
  group: 'redis' | 'commander' | 'agent';
  name: string;
  /** What is done, for the table. */
  how: string;
  startRedis(): Promise<RedisUnderFault>;
  hasClocks?: boolean;
  /** A commander that is away for longer than recovery may take: nobody waits for it. */
  away?: number;
  /** Resolves when nothing is broken any more. */
  inflict(fleet: FaultFleet, events: FaultEvents): Promise<void>;
  /** Recovery may take so long, ms; the promise for kills and freezes is 10 s. */
  recoveryMs: number;
  /** Redis loses everything; commands that were acknowledged before cannot be there. */
  losesEverything?: boolean;
  /** Redis acknowledges before its replica has the write: what was acknowledged so long before the loss may be gone, ms. */
  losesLastMs?: number;
}

const PROMISE_MS = 10_000;
const OUTAGE_MS = 6_000;

type RedisFault = Omit<Fault, 'group' | 'startRedis' | 'inflict' | 'recoveryMs'> & {
  recoveryMs?: number;
  inflict(redis: ProxiedRedis, events: FaultEvents, fleet: FaultFleet): Promise<void>;
};

function onRedis({ inflict, recoveryMs = PROMISE_MS, ...rest }: RedisFault): Fault {
  return {
    group: 'redis',
    recoveryMs,
    startRedis: () => ProxiedRedis.start(),
    inflict: (fleet, events) => inflict(fleet.under as ProxiedRedis, events, fleet),
    ...rest,
  };
}

/** Something that holds for a while and is then taken back; recovery counts from there. */
function forAWhile(
  begin: (redis: ProxiedRedis) => Promise<unknown> | void,
  end: (redis: ProxiedRedis) => Promise<unknown> | void,
): RedisFault['inflict'] {
  return async (redis, { counting }) => {
    await begin(redis);
    await sleep(OUTAGE_MS);
    await end(redis);
    counting();
  };
}

const redisFaults: Fault[] = [
  onRedis({
    name: 'stopped',
    how: 'SIGKILL; 6 s later started on its AOF',
    inflict: forAWhile(
      ({ server }) => server.kill(),
      ({ server }) => server.restart(),
    ),
  }),
  onRedis({
    name: 'frozen',
    how: 'SIGSTOP for 6 s',
    inflict: forAWhile(
      ({ server }) => server.freeze(),
      ({ server }) => server.thaw(),
    ),
  }),
  onRedis({
    name: 'restarted with AOF',
    how: 'SIGKILL and a start at once, three times',
    inflict: async ({ server }, { counting }) => {
      for (let time = 0; time < 3; time += 1) {
        if (time > 0) await sleep(1_000);
        await server.kill();
        await server.restart();
      }
      counting();
    },
  }),
  onRedis({
    name: 'restarted empty',
    how: 'SIGKILL and a start without its data; the app declares its schedules again',
    losesEverything: true,
    inflict: async (redis, { counting }) => {
      await redis.restartEmpty();
      counting();
    },
  }),
  onRedis({
    name: 'READONLY',
    how: 'replica of nobody for 6 s',
    inflict: forAWhile(
      ({ redis }) => redis.replicaof('127.0.0.1', 1),
      ({ redis }) => redis.replicaof('NO', 'ONE'),
    ),
  }),
  onRedis({
    name: 'maxmemory',
    how: 'no memory left for writes (noeviction) for 6 s',
    inflict: forAWhile(
      ({ redis }) => redis.config('SET', 'maxmemory', '1mb'),
      ({ redis }) => redis.config('SET', 'maxmemory', '0'),
    ),
  }),
  onRedis({
    name: 'slow',
    how: '250 ms each way for 6 s: 500 ms for an answer',
    inflict: forAWhile(
      ({ proxy }) => void (proxy.delayMs = 250),
      ({ proxy }) => proxy.heal(),
    ),
  }),
  onRedis({
    name: 'half-open',
    how: 'connections carry nothing any more and nobody is told; new ones work after 6 s (`REDIS_SILENCE_TIMEOUT_MS` 15 s)',
    // What owes an answer is noticed after 15 s of silence, of which 6 have passed.
    recoveryMs: 15_000 + PROMISE_MS,
    inflict: forAWhile(
      ({ proxy }) => proxy.blackhole(),
      ({ proxy }) => proxy.heal(),
    ),
  }),
  onRedis({
    name: 'reset',
    how: 'every connection reset ten times within 6 s',
    inflict: async ({ proxy }, { counting }) => {
      for (let time = 0; time < 10; time += 1) {
        proxy.reset();
        await sleep(OUTAGE_MS / 10);
      }
      counting();
    },
  }),
  {
    group: 'redis',
    name: 'failover',
    how: 'SIGKILL of the master; its Sentinel makes the replica master',
    losesLastMs: 1_000,
    recoveryMs: PROMISE_MS,
    startRedis: () => SentinelRedis.start(),
    inflict: async (fleet, { counting }) => {
      await (fleet.under as SentinelRedis).pair.failOver();
      counting();
    },
  },
];

type FleetFault = Omit<Fault, 'group' | 'startRedis' | 'recoveryMs'> & { recoveryMs?: number };

function onCommander(fault: FleetFault): Fault {
  return { group: 'commander', recoveryMs: PROMISE_MS, startRedis: () => ProxiedRedis.start(), ...fault };
}

const commanderFaults: Fault[] = [
  onCommander({
    name: 'SIGTERM',
    how: 'one after the other, each replaced at once: a rolling update',
    inflict: async ({ commanders }, { counting }) => {
      for (const [number, commander] of commanders.entries()) {
        const exit = await commander.terminate();
        if (exit?.code !== 0) throw new Error(`commander ended with ${JSON.stringify(exit)} after SIGTERM`);
        if (number === commanders.length - 1) counting();
        await commander.start(0);
      }
    },
  }),
  onCommander({
    name: 'SIGKILL',
    how: 'one after the other, each replaced after 2 s; counted from the last kill',
    inflict: async ({ commanders }, { counting }) => {
      for (const [number, commander] of commanders.entries()) {
        await commander.kill();
        if (number === commanders.length - 1) counting();
        await sleep(2_000);
        await commander.start(0);
      }
    },
  }),
  onCommander({
    name: 'SIGSTOP',
    how: 'one of three for 30 s; counted from the freeze, commands at the other two',
    away: 0,
    inflict: async ({ commanders: [victim] }, { counting }) => {
      victim.freeze();
      counting();
      await sleep(30_000);
      victim.thaw();
    },
  }),
  onCommander({
    name: 'clock ±5 s',
    how: 'the clock of one jumps 5 s ahead, of another 5 s back, after 8 s both jump to the other side, then right again',
    hasClocks: true,
    inflict: async (fleet, { counting }) => {
      for (const skewMs of [5_000, -5_000]) {
        fleet.setClock(0, skewMs);
        fleet.setClock(1, -skewMs);
        await sleep(8_000);
      }
      fleet.setClock(0, 0);
      fleet.setClock(1, 0);
      counting();
      await sleep(2_000);
    },
  }),
];

function onAgent(fault: FleetFault): Fault {
  return { group: 'agent', recoveryMs: PROMISE_MS, startRedis: () => ProxiedRedis.start(), ...fault };
}

const agentFaults: Fault[] = [
  onAgent({
    name: 'crash',
    how: 'SIGKILL of two in the middle of their runs, started again after 4 s; counted from the kill',
    inflict: async ({ agents }, { counting }) => {
      const victims = agents.slice(0, 2);
      await Promise.all(victims.map((agent) => agent.kill()));
      counting();
      await sleep(4_000);
      await Promise.all(victims.map((agent) => agent.start(0)));
    },
  }),
  onAgent({
    name: 'hang',
    how: 'one answers nothing for 10 s although its heartbeats go on (runs have a timeout of 8 s)',
    // What it was given before it is found out, it keeps for the timeout of a run.
    recoveryMs: PROMISE_MS + 8_000,
    inflict: async ({ agentProxies: [proxy] }, { counting }) => {
      proxy.blackhole();
      counting();
      await sleep(10_000);
      proxy.heal();
    },
  }),
  onAgent({
    name: 'flap',
    how: 'SIGKILL and a start at once, six times; counted from the last kill',
    inflict: async ({ agents: [agent] }, { counting }) => {
      for (let time = 0; time < 6; time += 1) {
        await agent.kill();
        if (time === 5) counting();
        await agent.start(0);
      }
    },
  }),
  onAgent({
    name: 'lie',
    how: 'one answers garbage, with ids of nobody, without a result, or half a frame, for 6 s',
    inflict: async ({ agentProxies: [proxy] }, { counting }) => {
      proxy.rewrite = liesOf();
      await sleep(OUTAGE_MS);
      proxy.heal();
      counting();
    },
  }),
  onAgent({
    name: 'slow',
    how: 'all answer 1 s late (500 ms each way) for 6 s',
    inflict: async ({ agentProxies }, { counting }) => {
      for (const proxy of agentProxies) proxy.delayMs = 500;
      await sleep(OUTAGE_MS);
      for (const proxy of agentProxies) proxy.heal();
      counting();
    },
  }),
];

export const faults: readonly Fault[] = [...redisFaults, ...commanderFaults, ...agentFaults];
