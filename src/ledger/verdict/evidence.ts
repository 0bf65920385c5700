import { type Bend, bendAllowed, bendOf, type TracePoint } from './growth-trace.js';
import type { GroupReading } from './detector-sample.js';
import { type MomentHistory, workRise } from './moment.js';
import { parameters } from './verdict-parameters.js';

/**
 * Why something counts as growing or leaking. `tied`: with the work; `few`: a kind made to be shared; `many`: more than is
 * ever opened to be kept, and fast; `long`: for very long; `aged`: those that have outlived the lives seen; `level`: a floor
 * that rises; `renewed`: made again and again by ever more; `ceiling`: beyond what was declared.
 */
export type Ground = 'tied' | 'few' | 'many' | 'long' | 'aged' | 'renewed' | 'level' | 'ceiling';

export interface Evidence {
  readonly ground: Ground;
  /** 1 is a leak, `parameters.growingShare` is growing. */
  readonly strength: number;
  readonly growth: number;
  readonly spanMs: number;
  readonly ratePerMs: number;
  /** The work it goes with: place in the detector's list of units. */
  readonly tie?: { readonly unit: number; readonly factor: number };
  /** The same where work and growth lie too far apart in time to be held against each other tick by tick: told, not counted on. */
  readonly perWork?: { readonly unit: number; readonly factor: number };
  /** Connections to us rose as much: they may well be in use. */
  readonly inbound?: boolean;
}

/** Growth of what nobody closes: the strongest evidence over any stretch that ends now. Null: none. */
export function unclosedEvidence(
  points: readonly TracePoint[],
  reading: GroupReading,
  history: MomentHistory,
): Evidence | null {
  let strongest: Evidence | null = null;
  for (let start = 0; start < points.length - 2; start++) {
    const evidence = evidenceSince(points.slice(start), reading, history);
    if (evidence && (strongest === null || evidence.strength > strongest.strength)) strongest = evidence;
  }
  return strongest;
}

function evidenceSince(points: readonly TracePoint[], reading: GroupReading, history: MomentHistory): Evidence | null {
  const [first, last] = [points[0]!, points[points.length - 1]!];
  const growth = last.live - first.live;
  const spanMs = last.moment.atMs - first.moment.atMs;
  if (growth < parameters.fewestItems || growth < parameters.errorFactor * reading.error || spanMs < parameters.tiedMs)
    return null;
  if (last.ended - first.ended > parameters.closedShare * (last.opened - first.opened)) return null;
  // What has lived so long before it ended may well do so again.
  if (reading.lives && spanMs < parameters.ageFactor * reading.lives.p95Ms) return null;
  if (reading.lingers && last.moment.collections - first.moment.collections < parameters.lingerCollections) return null;
  const ys = points.map(({ live }) => live);
  if (!isSustained(ys, growth)) return null;

  const allowed = bendAllowed(growth);
  const itemSeconds = (growth * spanMs) / 1_000;
  const ratePerMs = growth / spanMs;
  const base = { growth, spanMs, ratePerMs };
  const overTime = bendOf(
    points.map(({ moment }) => moment.atMs),
    ys,
  );
  const tie = tieOf(points, ys, growth, allowed, overTime);
  const followsPeers = last.moment.inbound - first.moment.inbound >= parameters.inboundShare * growth;
  const inbound = followsPeers && (reading.nature === 'local' || reading.nature === 'inbound');
  const slowing = overTime.above > allowed && tie === undefined;
  const candidates: Evidence[] = [];
  // The tail of what fills ever slower is as straight as anything, but small against what is there.
  const isLarge = growth >= parameters.growthShare * last.live;
  if (!slowing && isLarge)
    candidates.push({ ground: 'long', strength: spanMs / parameters.longMs, ...base, ...(tie && { tie }) });
  if (!slowing && reading.nature === 'few')
    candidates.push({ ground: 'few', strength: itemSeconds / parameters.fewItemSeconds, ...base, ...(tie && { tie }) });
  if (!slowing && isLarge && reading.nature !== 'inbound' && !followsPeers && isBeyondHiccup(spanMs, reading)) {
    // A batch or a cache that takes its time looks the same until it is done; a fast one is done soon.
    const needed = parameters.manyItems * Math.max(1, parameters.manyPerSecond / (ratePerMs * 1_000));
    candidates.push({ ground: 'many', strength: growth / needed, ...base, ...(tie && { tie }) });
  }
  if (tie && reading.nature !== 'inbound' && !inbound) {
    const needed = parameters.tiedItemSeconds * Math.max(1, parameters.tiedFactor / tie.factor);
    candidates.push({ ground: 'tied', strength: itemSeconds / needed, ...base, tie });
  }
  if (candidates.length === 0) return null;
  const best = candidates.reduce((most, one) => (one.strength > most.strength ? one : most));
  if (inbound) return { ...best, inbound };
  return best.ground === 'tied' ? best : besideTraffic(best, first.live, history);
}

/** More work at a time holds more at a time: growth that goes with the pace of the work is no more than growing. */
export function besideTraffic(evidence: Evidence, before: number, history: MomentHistory): Evidence {
  if (evidence.strength < parameters.growingShare) return evidence;
  const share = evidence.growth / Math.max(1, before);
  if (share > parameters.trafficFactor * workRise(history.since(evidence.spanMs))) return evidence;
  return { ...evidence, strength: Math.min(evidence.strength, parameters.growingShare) };
}

/** Where ends are usual, none for a while may be a peer that hangs. */
function isBeyondHiccup(spanMs: number, { lives }: GroupReading): boolean {
  return (lives?.count ?? 0) < parameters.livesKnown || spanMs >= parameters.ageMinMs;
}

/** Not all at once: at least two stretches in which a good part of it came. */
function isSustained(ys: readonly number[], growth: number): boolean {
  let parts = 0;
  for (let index = 1; index < ys.length; index++) if (ys[index]! - ys[index - 1]! >= parameters.bend * growth) parts++;
  return parts >= 2 || ys.length > 1 / parameters.bend;
}

/** The unit of work that the growth follows in a straight line, closest to one each where several do. */
function tieOf(
  points: readonly TracePoint[],
  ys: readonly number[],
  growth: number,
  allowed: number,
  overTime: Bend,
): { unit: number; factor: number } | undefined {
  const last = points[points.length - 1]!;
  let best: { unit: number; factor: number; rank: number } | undefined;
  for (let unit = 0; unit < last.moment.work.length; unit++) {
    const xs = points.map(({ moment }) => moment.work[unit] ?? 0);
    const work = xs[xs.length - 1]! - xs[0]!;
    if (work < parameters.tiedWork || growth / work < parameters.tiedFactorLeast) continue;
    const bend = bendOf(xs, ys);
    if (Math.max(bend.above, bend.below) > allowed) continue;
    const factor = growth / work;
    // Far from one each, a straight line over time that fits as well is the simpler story.
    const timeFits =
      Math.max(overTime.above, overTime.below) <= Math.max(bend.above, bend.below) + parameters.tiedBetterBy;
    if ((factor < parameters.tiedFactorPlain || factor > parameters.tiedFactorMany) && timeFits) continue;
    const rank = Math.abs(Math.log(factor)) + Math.max(bend.above, bend.below) + last.moment.vagueness[unit]!;
    if (best === undefined || rank < best.rank) best = { unit, factor, rank };
  }
  return best && { unit: best.unit, factor: best.factor };
}
