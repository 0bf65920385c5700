import fc from 'fast-check';
import { misfirePolicies } from '../../src/contract/schedule.schema.js';
import { type PlannedTicks, planTicks, type TickQuestion } from '../../src/schedules/tick-plan.js';
import { tickSpan } from '../../src/schedules/tick-span.js';
import { TickTimes, type Timing } from '../../src/schedules/tick-times.js';

const SEED = 7;
const NOW = Date.UTC(2026, 2, 29, 12);
const MINUTE_MS = 60_000;

/** The documented policy, one tick at a time: which fate each due tick has. */
function fates(ticks: readonly number[], question: Policy): string[] {
  const { misfire, misfireThresholdMs, catchupWindowMs, skipUntil = -1 } = question;
  const isOverdue = (tick: number) => NOW - tick > misfireThresholdMs;
  const isTooOld = (tick: number) => NOW - tick > catchupWindowMs;
  const newest = ticks.filter((tick) => tick > skipUntil && isOverdue(tick) && !isTooOld(tick)).at(-1);
  const found: string[] = [];
  let left = question.remainingRuns ?? Infinity;
  for (const tick of ticks) {
    if (left === 0) break;
    let fate = 'fire';
    if (tick <= skipUntil) fate = 'skipped paused';
    else if (isOverdue(tick) && isTooOld(tick)) fate = 'missed catchup-window';
    else if (isOverdue(tick) && misfire === 'skip') fate = 'missed misfire-skip';
    else if (isOverdue(tick) && misfire === 'once' && tick !== newest) fate = 'missed misfire-once';
    if (fate === 'fire') left -= 1;
    found.push(`${tick} ${fate}`);
  }
  return found;
}

type Policy = Omit<TickQuestion, 'times' | 'nextTickAt' | 'now'>;

/** The plans of as many looks as it takes, tick by tick. */
function planned(times: TickQuestion['times'], first: number, policy: Policy): string[] {
  const found: string[] = [];
  let left = policy.remainingRuns;
  for (let tick: number | undefined = first; tick !== undefined && tick <= NOW && left !== 0;) {
    const plan = planTicks({ ...policy, times, nextTickAt: tick, now: NOW, remainingRuns: left });
    expect(plan.entries.length).toBeGreaterThan(0);
    for (const entry of plan.entries) found.push(...ticksOf(times, entry));
    if (left !== undefined) left -= plan.entries.filter(({ fire }) => fire).length;
    tick = plan.nextTickAt;
  }
  return found;
}

function ticksOf(times: TickQuestion['times'], entry: PlannedTicks): string[] {
  if (entry.fire) return [`${entry.tickAt} fire`];
  const ticks: string[] = [];
  for (let tick: number | undefined = entry.from; tick !== undefined && tick <= entry.to; tick = times.next(tick)) {
    ticks.push(`${tick} ${entry.outcome} ${entry.reason}`);
  }
  expect(entry.count).toBe(ticks.length);
  return ticks;
}

it('gives every due tick the fate that the policy documents, none twice and none left out', () => {
  const duration = fc.oneof(fc.nat(90 * MINUTE_MS), fc.constantFrom(0, 1, 30_000, 60 * MINUTE_MS, 5 * 60 * MINUTE_MS));
  const timing = fc.oneof(
    fc.record({ everyMs: fc.integer({ min: 5_000, max: 40 * MINUTE_MS }) }),
    fc.record({ cron: fc.constantFrom('*/5 * * * *', '0,30 * * * *', '30 2 * * *', '*/20 * * * * *', '0 */2 * * *') }),
  );
  let tickCount = 0;
  fc.assert(
    fc.property(
      timing,
      fc.record({
        misfire: fc.constantFrom(...misfirePolicies),
        misfireThresholdMs: duration,
        catchupWindowMs: duration.map((ms) => Math.max(1, ms)),
        skipUntil: fc.option(
          duration.map((ms) => NOW - ms),
          { nil: undefined },
        ),
        remainingRuns: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
      }),
      fc.nat(12 * 60 * MINUTE_MS),
      (when: Partial<Timing>, policy, overdueMs) => {
        const ticker = new TickTimes({ timezone: 'Europe/Berlin', ...when });
        const next = (after: number) => ticker.next(after);
        const times = {
          next,
          span: (from: number, until: number, limit: number) => tickSpan(next, when.everyMs, from, until, limit),
        };
        const ticks: number[] = [];
        for (let tick = next(NOW - overdueMs - 1); tick !== undefined && tick <= NOW; tick = next(tick))
          ticks.push(tick);
        if (ticks.length === 0) return;
        tickCount += ticks.length;
        expect(planned(times, ticks[0], policy)).toEqual(fates(ticks, policy));
      },
    ),
    { seed: SEED, numRuns: 400 },
  );
  process.stdout.write(`tick-policy: seed ${SEED}, ${tickCount} due ticks compared\n`);
});
