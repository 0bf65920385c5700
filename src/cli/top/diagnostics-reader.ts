import { z } from 'zod';
import { CommandError, errorCodes, type ErrorCode } from '../../contract/command-error.js';
import { UsageError } from '../usage.error.js';

// Only what is shown, and loosely: a later commander may answer more.
const siteSchema = z.object({ file: z.string(), line: z.int(), function: z.string().nullable() });
const groupSchema = z.object({
  id: z.string(),
  kind: z.string(),
  live: z.int(),
  liveBytes: z.int().optional(),
  exact: z.boolean(),
  ratePerSecond: z.number(),
  ageMs: z.object({ oldest: z.number() }).nullable(),
  site: siteSchema.nullable(),
  provider: z.string().optional(),
  via: z.string().optional(),
  overflow: z.string().optional(),
  stack: z.array(siteSchema),
});
const groupsSchema = z.object({
  ledger: z.object({ running: z.boolean() }),
  groups: z.array(groupSchema),
  totalCount: z.int(),
});
const verdictsSchema = z.object({
  takenAt: z.number(),
  state: z.string(),
  sentence: z.string(),
  rss: z.object({ rssBytes: z.int(), heapBytes: z.int(), externalBytes: z.int(), nativeBytes: z.int() }),
  verdicts: z.array(z.object({ state: z.string(), sentence: z.string(), partOf: z.string().optional() })),
});
const orError = <Section extends z.ZodType>(section: Section) => z.union([section, z.object({ error: z.string() })]);
const summarySchema = z.object({
  process: orError(z.object({ pid: z.int(), startedAt: z.number(), uptimeMs: z.number(), nodeVersion: z.string() })),
  memory: orError(z.object({ limitBytes: z.int().nullable() })),
  heap: orError(z.object({ usedBytes: z.int(), limitBytes: z.int() })),
  openFds: orError(z.object({ openCount: z.int().nullable() })),
  cpu: orError(z.object({ usedRatio: z.number() })),
});

/** Orders in which the process sorts its groups. */
export const sortOrders = ['rate', 'live', 'created', 'age', 'collected'] as const;
export type SortOrder = (typeof sortOrders)[number];

/** One look at a process. */
export interface Look {
  verdicts: z.output<typeof verdictsSchema>;
  groups: z.output<typeof groupsSchema>;
  summary: z.output<typeof summarySchema>;
}

export type TopGroup = Look['groups']['groups'][number];

/** Asks the diagnostics of one process over HTTP. */
export class DiagnosticsReader {
  /** `http://host:port`, with what stands before `/diagnostics` where the application serves below a path. */
  readonly address: string;

  /** @throws UsageError for what is no address of such a process */
  constructor(
    address: string,
    private readonly token: string | undefined,
    private readonly timeoutMs: number,
  ) {
    this.address = baseOf(address);
  }

  /** @throws CommandError of the process, or UNAVAILABLE and DEADLINE_EXCEEDED when it does not answer */
  async look(sort: SortOrder, limit: number, signal?: AbortSignal): Promise<Look> {
    const [verdicts, groups, summary] = await Promise.all([
      this.ask('diagnostics/verdicts?limit=20', verdictsSchema, signal),
      this.ask(`diagnostics/groups?limit=${limit}&sort=${sort}`, groupsSchema, signal),
      this.ask('diagnostics.json', summarySchema, signal),
    ]);
    return { verdicts, groups, summary };
  }

  private async ask<Answer>(path: string, schema: z.ZodType<Answer>, signal?: AbortSignal): Promise<Answer> {
    const deadline = AbortSignal.timeout(this.timeoutMs);
    let response: Response;
    let body: unknown;
    try {
      response = await fetch(`${this.address}/${path}`, {
        headers: {
          Accept: 'application/json',
          ...(this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` }),
        },
        redirect: 'error',
        signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
      });
      body = await response.json().catch((error: unknown) => {
        if (error instanceof SyntaxError) return undefined;
        throw error;
      });
    } catch (error) {
      if (deadline.aborted)
        throw new CommandError('DEADLINE_EXCEEDED', `${this.address} did not answer within ${this.timeoutMs} ms`);
      throw new CommandError('UNAVAILABLE', `${this.address} cannot be reached: ${reasonOf(error)}`);
    }
    if (!response.ok) throw this.refusal(response.status, body);
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new CommandError('UNAVAILABLE', `${this.address} does not answer as the diagnostics of a process do`);
  }

  private refusal(status: number, body: unknown): CommandError {
    const { code, message } = Object(body) as { code?: unknown; message?: unknown };
    if (typeof code !== 'string' || !Object.hasOwn(errorCodes, code) || typeof message !== 'string')
      return new CommandError(
        'UNAVAILABLE',
        `${this.address} answers with status ${status}: no diagnostics are served there`,
      );
    const hint = status === 401 ? ' (give it by DIAGNOSTICS_TOKEN or --token)' : '';
    return new CommandError(code as ErrorCode, `${message}${hint}`);
  }
}

function baseOf(text: string): string {
  const hasScheme = /^\w+:\/\//.test(text);
  const whole = hasScheme ? text : `http://${text}`;
  if (!/^https?:\/\/[^/]/.test(whole) || !URL.canParse(whole))
    throw new UsageError(`${JSON.stringify(text)} is no address: expected http://host:port`);
  const url = new URL(whole);
  if (url.username !== '' || url.password !== '')
    throw new UsageError('the address holds a password: give the token by DIAGNOSTICS_TOKEN or --token');
  return `${url.origin}${url.pathname.replace(/\/(diagnostics\/?)?$/, '')}`;
}

/** What the system said, rather than fetch's "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: unknown; message?: unknown } };
  return String(cause?.code ?? cause?.message ?? message);
}
