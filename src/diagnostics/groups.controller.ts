/*
 * endpoint                    parameter  values                               unit     cost
 * GET /diagnostics/groups     kind       socket, socket.client, timer, …      –        O(groups); the first read of a line
 *                             min        0 … 10⁹, default 1                   alive    reads its source map in a worker
 *                             sort       live, created, rate, age, collected  –
 *                             limit      1 … 200, default 50                  groups
 *                             delta      1 … 30                               seconds  two reads; one request at a time
 *                             format     json, text                           –
 * GET /diagnostics/groups/:id –          –                                    –        as above
 *
 * A parameter or value that is not in this table is refused with 400, a second `delta` at the same time with 429.
 */
import { Controller, Get, Header, Inject, Param, Query, Res, UseGuards } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ledgerGroupsQuerySchema, type LedgerGroupsQuery } from '../contract/diagnostics.schema.js';
import { DiagnosticsGuard } from './diagnostics.guard.js';
import { groupsText } from './groups-text.js';
import { GroupsService } from './groups.service.js';
import { asJson, formatOf, refuseUnknown } from './http-query.js';
import { HttpRefusal } from './http-refusal.js';

const MAX_DELTA_SECONDS = 30;
const PARAMETERS = ['kind', 'min', 'sort', 'limit', 'delta', 'format'];

/** What is alive and which line made it, over HTTP. */
@Controller()
@UseGuards(DiagnosticsGuard)
export class GroupsController {
  private deltaIsRunning = false;

  constructor(
    @Inject(GroupsService) private readonly groups: GroupsService,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get('diagnostics/groups')
  async list(@Query() query: Record<string, unknown>, @Res({ passthrough: true }) response: unknown): Promise<string> {
    refuseUnknown(query, PARAMETERS);
    const format = formatOf(query['format']);
    const wanted = wantedOf(query);
    const seconds = secondsOf(query['delta']);
    const answer = seconds === undefined ? await this.groups.list(wanted) : await this.delta(wanted, seconds, response);
    const type = format === 'text' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
    this.adapterHost.httpAdapter.setHeader(response, 'Content-Type', type);
    return format === 'text' ? groupsText(answer) : asJson(answer);
  }

  @Get('diagnostics/groups/:id')
  @Header('Content-Type', 'application/json; charset=utf-8')
  async one(@Param('id') id: string, @Query() query: Record<string, unknown>): Promise<string> {
    refuseUnknown(query, []);
    const group = await this.groups.one(id);
    if (group === undefined) throw new HttpRefusal('NOT_FOUND', 'no group has this id');
    return asJson(group);
  }

  private async delta(wanted: LedgerGroupsQuery, seconds: number, response: unknown) {
    if (this.deltaIsRunning) {
      this.adapterHost.httpAdapter.setHeader(response, 'Retry-After', String(seconds));
      throw new HttpRefusal('RATE_LIMITED', 'another delta is being taken');
    }
    this.deltaIsRunning = true;
    try {
      return await this.groups.listDelta(wanted, seconds * 1_000);
    } finally {
      this.deltaIsRunning = false;
    }
  }
}

function wantedOf({ kind, min, sort, limit }: Record<string, unknown>): LedgerGroupsQuery {
  const parsed = ledgerGroupsQuerySchema.safeParse({ kind, min: numberOf(min), sort, limit: numberOf(limit) });
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new HttpRefusal('INVALID_ARGUMENT', `${path.join('.')}: ${message}`);
}

function secondsOf(value: unknown): number | undefined {
  const seconds = numberOf(value);
  if (seconds === undefined) return undefined;
  if (typeof seconds !== 'number' || seconds < 1 || seconds > MAX_DELTA_SECONDS)
    throw new HttpRefusal('INVALID_ARGUMENT', `delta: expected 1 to ${MAX_DELTA_SECONDS} seconds`);
  return seconds;
}

/** A query is text; what is no whole number is left to be refused as it is. */
function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
}
