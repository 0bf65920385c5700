import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { uncounted } from '../../ledger/uncounted.js';
import type { DiagnosticsLog } from '../diagnostics-log.js';
import type { Access } from './access.js';
import { CostlySlot } from './costly-slot.js';
import type { Endpoint, EndpointAnswer, EndpointRequest } from './endpoint.js';
import { isFromForeignPage } from './foreign-page.js';
import { parsedQuery } from './http-query.js';
import { HttpRefusal } from './http-refusal.js';
import { matchPath } from './path-pattern.js';
import { RequestRate } from './request-rate.js';

/** Longest path with its query; the longest of ours is far shorter. */
const MAX_TARGET_LENGTH = 2_048;

/** On every answer, the refusals included: nothing is stored, sniffed, embedded or run. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/**
 * The HTTP side of the diagnostics, with nothing of a framework in it: Nest calls it from a middleware (under Express and
 * Fastify alike), a process without Nest from a server of its own.
 */
export class DiagnosticsHttp {
  private readonly costly = new CostlySlot();
  private readonly admitted = new RequestRate(50, 200);
  /** Apart: strangers must not use up what is there for those who may ask. */
  private readonly strangers = new RequestRate(10, 50);
  /** One per answer under way. A signal for all would keep an entry per request for as long as the process lives (AbortSignal.any). */
  private readonly underWay = new Set<AbortController>();
  private isClosing = false;
  /** First segments of our paths: what begins otherwise is somebody else's, and costs one look-up. */
  private readonly roots: ReadonlySet<string>;

  constructor(
    readonly endpoints: readonly Endpoint[],
    private readonly access: Access,
    private readonly log: DiagnosticsLog,
  ) {
    this.roots = new Set(endpoints.map(({ path }) => firstSegment(path)));
  }

  /**
   * Answers the request if its path is one of ours. Never rejects.
   * @param prefix what stands before our paths in this application (`/api`)
   * @returns false when the path is not ours: nothing was touched, and somebody else must answer
   */
  async handle(request: IncomingMessage, response: ServerResponse, prefix = ''): Promise<boolean> {
    const url = this.urlOf(request, prefix);
    if (url === null) return false;
    const matching = this.endpoints.flatMap((endpoint) => {
      const params = matchPath(endpoint.path, url.pathname);
      return params === null ? [] : [{ endpoint, params }];
    });
    if (matching.length === 0) return false;
    uncounted.exclude(response);

    for (const name of response.getHeaderNames()) {
      // An application that opens itself to other sites does not thereby open its diagnostics.
      if (name.startsWith('access-control-')) response.removeHeader(name);
    }
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    try {
      const found = matching.find(
        ({ endpoint }) => endpoint.method === method && (endpoint.wants?.(request.headers, url.searchParams) ?? true),
      );
      this.checkAccess(request, found?.endpoint.open);
      if (url.href.length > MAX_TARGET_LENGTH)
        throw new HttpRefusal('INVALID_ARGUMENT', `path: at most ${MAX_TARGET_LENGTH} characters`);
      if (hasBody(request))
        throw new HttpRefusal('PAYLOAD_TOO_LARGE', 'no request has a body here', { headers: { Connection: 'close' } });
      if (found === undefined) {
        const allowed = [...new Set(matching.map(({ endpoint }) => endpoint.method))].join(', ');
        throw new HttpRefusal('METHOD_NOT_ALLOWED', `expected ${allowed}`, { headers: { Allow: allowed } });
      }
      await this.serve(found.endpoint, { params: found.params, prefix }, url, request, response);
    } catch (error) {
      await this.refuse(error, response);
    }
    return true;
  }

  /** The same for a server that has nothing else to serve: what is not ours is a 404. Never rejects. */
  async handleAll(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (await this.handle(request, response)) return;
    await this.refuse(this.notFound(request), response);
  }

  /** Ends the answers that wait or stream: the HTTP server closes only when they have. Others are answered as before. */
  endLongAnswers(): void {
    this.isClosing = true;
    for (const answer of this.underWay) answer.abort();
  }

  /** Whoever asks: that nothing is here is no secret. But it is counted like any other request. */
  private notFound(request: IncomingMessage): HttpRefusal {
    try {
      this.checkAccess(request);
    } catch (refusal) {
      if (refusal instanceof HttpRefusal && refusal.code === 'RATE_LIMITED') return refusal;
    }
    return new HttpRefusal('NOT_FOUND', 'nothing is served here; see /diagnostics');
  }

  private checkAccess(request: IncomingMessage, isOpen = false): void {
    try {
      this.access.check(request);
    } catch (refusal) {
      this.strangers.take();
      // It holds nothing of the process, and asks for the token that was not sent.
      if (isOpen && refusal instanceof HttpRefusal && refusal.code === 'UNAUTHENTICATED') return;
      throw refusal;
    }
    this.admitted.take();
  }

  /** Null when the request is not below `prefix`, or its path can be none of ours. */
  private urlOf(request: IncomingMessage & { originalUrl?: string }, prefix: string): URL | null {
    // Express takes the mount point out of `url`.
    const target = request.originalUrl ?? request.url ?? '';
    if (!target.startsWith(`${prefix}/`)) return null;
    const path = target.slice(prefix.length);
    if (!this.roots.has(firstSegment(path))) return null;
    try {
      // Written out, so that `//host/path` cannot be taken for the host.
      return new URL(`http://diagnostics${path}`);
    } catch {
      return null;
    }
  }

  private async serve(
    endpoint: Endpoint,
    where: Pick<EndpointRequest<unknown>, 'params' | 'prefix'>,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const query = parsedQuery(url.searchParams, endpoint.query);
    const seconds = endpoint.costlySeconds?.(query);
    const isGuarded = seconds !== undefined || endpoint.method === 'POST' || endpoint.startsWork;
    if (isGuarded && isFromForeignPage(request))
      throw new HttpRefusal('FORBIDDEN', 'a page of another site may not ask for this');
    const release = seconds === undefined ? undefined : this.costly.take(seconds);
    if (seconds !== undefined) this.log.info(`${endpoint.method} ${url.pathname} for ${request.socket.remoteAddress}`);
    const gone = new AbortController();
    const { signal } = gone;
    const onClose = (): void => gone.abort();
    response.once('close', onClose);
    this.underWay.add(gone);
    if (this.isClosing) gone.abort();
    try {
      const answer = await endpoint.answer({ ...where, query, headers: request.headers, signal });
      await send(answer, endpoint.status ?? 200, request.method === 'HEAD', response, signal);
    } finally {
      this.underWay.delete(gone);
      response.off('close', onClose);
      release?.();
    }
  }

  private async refuse(error: unknown, response: ServerResponse): Promise<void> {
    const refusal = this.refusalOf(error);
    if (refusal.code === 'INTERNAL' && !response.destroyed)
      this.log.warn(`diagnostics failed: ${error instanceof Error ? error.message : String(error)}`);
    // Under way already, or nobody there to be told.
    if (response.headersSent || response.destroyed) return void response.destroy();
    const answer = {
      type: 'application/json; charset=utf-8',
      body: refusal.body(),
      headers: refusal.headers,
    };
    await send(answer, refusal.status, false, response).catch(() => response.destroy());
  }

  private refusalOf(error: unknown): HttpRefusal {
    if (error instanceof HttpRefusal) return error;
    if (this.isClosing) return new HttpRefusal('UNAVAILABLE', 'shutting down');
    return new HttpRefusal('INTERNAL', 'the diagnostics failed; the log says why');
  }
}

async function send(
  { type, body, headers }: EndpointAnswer,
  status: number,
  headOnly: boolean,
  response: ServerResponse,
  signal?: AbortSignal,
): Promise<void> {
  for (const [name, value] of Object.entries({ ...HEADERS, 'Content-Type': type, ...headers }))
    response.setHeader(name, value);
  response.statusCode = status;
  if (!(body instanceof Readable)) {
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(headOnly ? undefined : body);
  } else if (headOnly) {
    body.destroy();
    response.end();
  } else {
    response.flushHeaders();
    await pipeline(body, response, signal === undefined ? {} : { signal });
  }
}

/** Nothing here reads one: it would have to be read to its end all the same before the next request of the connection. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function firstSegment(path: string): string {
  return /^\/([^/?]*)/.exec(path)?.[1] ?? '';
}
