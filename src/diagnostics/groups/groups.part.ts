/*
 * endpoint                    parameter  values                               unit     cost
 * GET /diagnostics/groups     kind       socket, socket.client, timer, …      –        O(groups); a line read for the first
 *                             min        0 … 10⁹, default 1                   alive    time may read its source map
 *                             sort       live, created, rate, age, collected  –
 *                             limit      1 … 200, default 50                  groups
 *                             delta      1 … 30                               seconds  two reads; one request at a time
 *                             format     json, text                           –
 * GET /diagnostics/groups/:id –          –                                    –        as above
 *
 * A parameter or value that is not in this table is refused with 400, a second `delta` at the same time with 429.
 */
import { z } from 'zod';
import {
  ledgerGroupSchema,
  ledgerGroupsQuerySchema,
  ledgerGroupsSchema,
  type LedgerGroups,
  type LedgerGroupsQuery,
} from '../../contract/ledger.schema.js';
import { type LedgerGroup, ledgerReport, type LedgerSnapshot } from '../../ledger/index.js';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { formatSchema, jsonOrText, wholeNumber } from '../http/http-query.js';
import { HttpRefusal } from '../http/http-refusal.js';
import { groupsText } from './groups-text.js';

const listQuerySchema = z.strictObject({
  ...ledgerGroupsQuerySchema.shape,
  min: wholeNumber(0, 1e9).default(1),
  limit: wholeNumber(1, 200).default(50),
  delta: wholeNumber(1, 30).optional(),
  format: formatSchema,
});

type Order = (group: LedgerGroup) => number;

const orders: Record<LedgerGroupsQuery['sort'], Order> = {
  live: ({ live }) => live,
  created: ({ created }) => created,
  rate: ({ ratePerSecond }) => ratePerSecond,
  age: ({ ageMs }) => ageMs?.oldest ?? 0,
  collected: ({ collectedOpen }) => collectedOpen,
};

/** What is alive, by the line that made it. Costs O(groups), whatever is alive; a line read for the first time may read its source map. */
export class GroupsPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/groups',
      summary: 'What is alive, by the line that made it.',
      query: listQuerySchema,
      answers: { 'application/json': ledgerGroupsSchema, 'text/plain': null },
      costlySeconds: ({ delta }) => delta,
      answer: async ({ query: { delta, format, ...wanted }, signal }) => {
        const answer =
          delta === undefined ? await this.list(wanted) : await this.listDelta(wanted, delta * 1_000, signal);
        return jsonOrText(format, answer, () => groupsText(answer));
      },
    }),
    endpoint({
      method: 'GET',
      path: '/diagnostics/groups/:id',
      summary: 'One group, with its stack and ages.',
      query: z.strictObject({}),
      answers: { 'application/json': ledgerGroupSchema },
      refusals: ['NOT_FOUND'],
      answer: async ({ params }) => {
        const group = await this.one(params['id']!);
        if (group === undefined) throw new HttpRefusal('NOT_FOUND', 'no group has this id');
        return jsonOrText('json', group, String);
      },
    }),
  ];

  /** Never rejects. Without a running ledger the lists are empty and `ledger.running` says why. */
  async list(query: LedgerGroupsQuery): Promise<LedgerGroups> {
    return selected(await ledgerReport(), query);
  }

  /** The same, with what changed in each group over the next `ms`. @throws AbortError when `signal` fires before */
  async listDelta(query: LedgerGroupsQuery, ms: number, signal?: AbortSignal): Promise<LedgerGroups> {
    const before = await ledgerReport();
    await uncounted.sleep(ms, signal);
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
