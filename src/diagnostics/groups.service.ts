import { Injectable } from '@nestjs/common';
import type { LedgerGroups, LedgerGroupsQuery } from '../contract/diagnostics.schema.js';
import { type LedgerGroup, ledgerReport, type LedgerSnapshot } from '../ledger/index.js';

type Order = (group: LedgerGroup) => number;

const orders: Record<LedgerGroupsQuery['sort'], Order> = {
  live: ({ live }) => live,
  created: ({ created }) => created,
  rate: ({ ratePerSecond }) => ratePerSecond,
  age: ({ ageMs }) => ageMs?.oldest ?? 0,
  collected: ({ collectedOpen }) => collectedOpen,
};

/** What is alive, by the line that made it. Costs O(groups), whatever is alive; the first read of a line reads its source map. */
@Injectable()
export class GroupsService {
  /** Never rejects. Without a running ledger the lists are empty and `ledger.running` says why. */
  async list(query: LedgerGroupsQuery): Promise<LedgerGroups> {
    return selected(await ledgerReport(), query);
  }

  /** The same, with what changed in each group over the next `ms`. */
  async listDelta(query: LedgerGroupsQuery, ms: number): Promise<LedgerGroups> {
    const before = await ledgerReport();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const after = await ledgerReport();
    const known = new Map(before.groups.map((group) => [group.id, group]));
    const answer = selected(after, query);
    return {
      ...answer,
      deltaMs: after.takenAt - before.takenAt,
      groups: answer.groups.map((group) => {
        const was = known.get(group.id);
        const change = (field: 'live' | 'created' | 'closed'): number => group[field] - (was?.[field] ?? 0);
        return { ...group, delta: { live: change('live'), created: change('created'), closed: change('closed') } };
      }),
    };
  }

  /** One group, or undefined when there is none of that id. */
  async one(id: string): Promise<LedgerGroup | undefined> {
    return (await ledgerReport()).groups.find((group) => group.id === id);
  }
}

function selected({ takenAt, ledger, kinds, groups }: LedgerSnapshot, query: LedgerGroupsQuery): LedgerGroups {
  const { kind, min, sort, limit } = query;
  const matching = groups.filter(
    (group) => group.live >= min && (kind === undefined || group.kind === kind || group.kind.startsWith(`${kind}.`)),
  );
  const order = orders[sort];
  matching.sort((a, b) => order(b) - order(a));
  return { takenAt, ledger, kinds, groups: matching.slice(0, limit), totalCount: matching.length };
}
