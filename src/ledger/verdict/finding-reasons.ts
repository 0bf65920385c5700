import type { Evidence } from './evidence.js';
import type { GroupJudge } from './group-judge.js';
import type { VerdictState } from './verdict-state.js';

/** Plain words for why a line is judged as it is: one per gate that decided. */
export function groupReasons(judge: GroupJudge, units: readonly string[], ceiling: number | null): string[] {
  const { standing, reading, aged } = judge;
  const { ground } = standing;
  const reasons: string[] = [];
  if (ceiling !== null && reading.live <= ceiling)
    reasons.push(`${count(reading.live)} of at most ${count(ceiling)} that were declared`);
  if (ground) reasons.push(...groundReasons(ground, judge, units, ceiling));
  if (standing.state === 'growing' && ground) reasons.push(whyOnlyGrowing(ground, judge));
  reasons.push(...stateReasons(standing));
  if (standing.state === 'not-leaking' && ceiling === null)
    reasons.push(`what is older than ${time(aged.gateMs)} does not become more`);
  if (standing.state === 'not-enough-data') reasons.push('not watched for long enough');
  return reasons;
}

/** The same for an amount of memory. */
export function amountReasons(standing: VerdictState, units: readonly string[]): string[] {
  const { ground } = standing;
  const reasons: string[] = [];
  if (ground) {
    reasons.push(`the floor rose by ${bytes(ground.growth)} in ${time(ground.spanMs)}`);
    if (ground.tie) reasons.push(`in step with ${units[ground.tie.unit]}`);
    if (standing.state === 'growing') reasons.push('not for long enough, or not beyond what a collection may free');
  }
  reasons.push(...stateReasons(standing));
  if (standing.state === 'not-leaking') reasons.push('the floor does not rise');
  if (standing.state === 'not-enough-data') reasons.push('not watched for long enough');
  return reasons;
}

function groundReasons(
  ground: Evidence,
  judge: GroupJudge,
  units: readonly string[],
  ceiling: number | null,
): string[] {
  const { reading, aged } = judge;
  if (ground.ground === 'ceiling')
    return [`${count(reading.live)} alive, at most ${count(ceiling ?? 0)} were declared`];
  const growth = reading.inBytes ? bytes(ground.growth) : count(ground.growth);
  if (ground.ground === 'aged') {
    const life = reading.lives ? 'well beyond the life usual here' : 'the least age that counts';
    return [`${growth} more in ${time(ground.spanMs)} that are older than ${time(aged.gateMs)}, ${life}`];
  }
  if (ground.ground === 'renewed')
    return [
      `${count(reading.held)} at a time that each are made again when they end, ${growth} more in ${time(ground.spanMs)}`,
      'the pace of the work did not rise',
    ];
  const reasons = [`${growth} more in ${time(ground.spanMs)}, none ended`];
  if (ground.tie) reasons.push(`${ground.tie.factor.toFixed(2)} per ${units[ground.tie.unit]}, in a straight line`);
  if (ground.ground === 'few' && !ground.tie) reasons.push('of a kind that is made to be shared');
  if (ground.ground === 'many' && !ground.tie) reasons.push('at a steady pace, and more than are opened to be kept');
  if (ground.inbound) reasons.push('connections to this process rose as much');
  return reasons;
}

function whyOnlyGrowing(ground: Evidence, { reading }: GroupJudge): string {
  if (ground.inbound) return 'they may belong to connections that are in use';
  if (!reading.lives) return 'none has ended yet: a cache or pool on its way to its size looks the same';
  return 'not for long enough to tell it from a cache or pool on its way to its size';
}

function stateReasons({ state, retractedBy, isIdle }: VerdictState): string[] {
  if (state === 'leaking' && isIdle) return ['no work was done since'];
  if (state !== 'retracted') return [];
  return [retractedBy === 'fell' ? 'they were ended' : 'it has stopped growing'];
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function bytes(value: number): string {
  return `${(value / 2 ** 20).toFixed(1)} MiB`;
}

function time(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}
