import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { RefusalCode } from './http-refusal.js';

/** What an endpoint is asked. */
export interface EndpointRequest<Query> {
  /** What stands in the place of `:name` in the path. */
  readonly params: Readonly<Record<string, string>>;
  /** Validated, defaults filled in. */
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** What stands before our paths in this application: `/api`, or nothing. */
  readonly prefix: string;
  /** Fires when whoever asked has gone, or the server closes. */
  readonly signal: AbortSignal;
}

/** What an endpoint answers. */
export interface EndpointAnswer {
  /** Content-Type. */
  readonly type: string;
  /** A stream is destroyed when whoever asked has gone. */
  readonly body: string | Uint8Array | Readable;
  /** Beside, or instead of, those that every answer carries. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One endpoint of the diagnostics: all that the router and the OpenAPI document need to know of it. */
export interface Endpoint<Query = unknown> {
  readonly method: 'GET' | 'POST';
  /** Begins with `/`; a segment `:name` stands for any one. The first endpoint that matches answers. */
  readonly path: string;
  /** Served without the token where one is set: for what holds nothing of the process. */
  readonly open?: boolean;
  /** Of several endpoints with one path the first answers that wants the request; without it, it wants all. */
  wants?(headers: IncomingHttpHeaders, query: URLSearchParams): boolean;
  /** One sentence for the OpenAPI document. */
  readonly summary: string;
  /** Query parameters as text; what it does not know is refused with 400. */
  readonly query: z.ZodObject;
  /** Media types it answers with, with the schema where it is JSON. */
  readonly answers: Readonly<Record<string, z.ZodType | null>>;
  /** Of its answers. Default 200. */
  readonly status?: 301;
  /** What it refuses with by itself, beside what every endpoint may be refused with. */
  readonly refusals?: readonly RefusalCode[];
  /**
   * For what costs much: about how many seconds it takes. One such request is served at a time, others get 429 with
   * Retry-After, and each is written to the log. Undefined: not costly.
   */
  costlySeconds?(query: Query): number | undefined;
  /** Whether it starts what goes on after the answer, as the heap sampler does: not for pages of other sites, as all by POST. */
  readonly startsWork?: boolean;
  /** @throws HttpRefusal with what the caller is told; anything else is a 500 without its text */
  answer(request: EndpointRequest<Query>): EndpointAnswer | Promise<EndpointAnswer>;
}

/** Ties the type of `query` to the schema that validates it. */
export function endpoint<Query extends z.ZodObject>(
  definition: Omit<Endpoint<z.output<Query>>, 'query'> & { readonly query: Query },
): Endpoint {
  return definition as unknown as Endpoint;
}
