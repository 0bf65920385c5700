import type { Verdict } from '../../contract/verdict.schema.js';
import type { Finding, LedgerCount, LedgerSite } from '../../ledger/index.js';
import { verdictSentence } from './verdict-sentence.js';

/** Findings of the detector with the places of their groups, as the contract has them. */
export function verdictsOf(
  findings: readonly Finding[],
  groups: readonly LedgerCount[],
  heapSite: LedgerSite | null = null,
): Verdict[] {
  const groupOf = new Map(groups.map((group) => [group.id, group]));
  /** A rise of the heap that nothing else explains is that of the function the heap profile names. */
  const isProfiled = ({ subject, partOf }: Finding): boolean => subject === 'heap' && partOf === undefined;
  const siteOf = (finding: Finding): Verdict['site'] =>
    isProfiled(finding) ? heapSite : (groupOf.get(finding.id)?.site ?? null);
  return findings.map((finding) => {
    const { id, state, subject, kind, via, live, liveBytes, ratePerSecond, perWork, sinceMs, confidence } = finding;
    const site = siteOf(finding);
    const goesWith = findings
      .filter(({ partOf }) => partOf === id)
      .map((kin) => ({
        id: kin.id,
        kind: kin.kind,
        site: siteOf(kin),
        live: kin.live,
        ...(kin.liveBytes === undefined ? {} : { liveBytes: kin.liveBytes }),
        ratePerSecond: rounded(kin.ratePerSecond),
      }));
    const verdict = {
      id,
      state,
      subject,
      kind,
      site,
      precision: site && (isProfiled(finding) ? ('function' as const) : ('line' as const)),
      ...(via === null ? {} : { via }),
      live,
      ...(liveBytes === undefined ? {} : { liveBytes }),
      ratePerSecond: rounded(ratePerSecond),
      ...(perWork ? { perCommand: rounded(perWork.factor), perCommandOf: perWork.unit } : {}),
      sinceMs: Math.max(0, Math.round(sinceMs)),
      confidence,
      reasons: [...finding.reasons],
      ...(finding.limit ? { limit: roundedLimit(finding.limit) } : {}),
      ...(finding.cause ? { cause: finding.cause } : {}),
      ...(finding.partOf === undefined ? {} : { partOf: finding.partOf }),
      ...(goesWith.length > 0 ? { goesWith } : {}),
    };
    return { ...verdict, sentence: verdictSentence(verdict) };
  });
}

function roundedLimit(limit: NonNullable<Finding['limit']>): NonNullable<Verdict['limit']> {
  const whole = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
  return { ...limit, etaMs: whole(limit.etaMs), etaLowMs: whole(limit.etaLowMs), etaHighMs: whole(limit.etaHighMs) };
}

/** Four significant digits or more. */
function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}
