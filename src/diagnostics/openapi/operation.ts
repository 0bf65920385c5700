import type { z } from 'zod';
import type { Endpoint } from '../http/endpoint.js';
import type { RefusalCode } from '../http/http-refusal.js';
import { type OpenApiParameter, pathParameters, queryParameters } from './parameters.js';
import { refusedWith } from './refusal-responses.js';

/** One method of one path. */
export interface OpenApiOperation {
  operationId: string;
  summary: string;
  description?: string;
  parameters: OpenApiParameter[];
  security: Record<string, string[]>[];
  responses: Record<string, unknown>;
}

/** What every endpoint may be refused with. */
const ALWAYS: readonly RefusalCode[] = [
  'INVALID_ARGUMENT',
  'FORBIDDEN',
  'METHOD_NOT_ALLOWED',
  'PAYLOAD_TOO_LARGE',
  'RATE_LIMITED',
  'INTERNAL',
];

/** @param sharing the endpoints that have this path and method; each answers some of the requests */
export function operationOf(
  method: string,
  path: string,
  sharing: readonly Endpoint[],
  schemaOf: (schema: z.ZodType) => unknown,
): OpenApiOperation {
  const guarded = sharing.some(({ open }) => open !== true);
  const costly = sharing.some(({ costlySeconds }) => costlySeconds !== undefined);
  const refusals = sharing.flatMap(({ refusals = [] }) => refusals);
  if (guarded) refusals.push('UNAUTHENTICATED');
  // What waits is told so when the process shuts down.
  if (costly) refusals.push('UNAVAILABLE');
  return {
    operationId: operationId(method, path),
    summary: sharing.map(({ summary }) => summary).join(' '),
    ...(costly ? { description: 'Costly, at least where it is told to wait: one such request at a time.' } : {}),
    parameters: [...pathParameters(path), ...sharing.flatMap(({ query }) => queryParameters(query))],
    // Either of the two: an empty requirement is a request from this machine.
    security: guarded ? [{ bearer: [] }, {}] : [],
    responses: { ...succeeded(sharing, schemaOf), ...refusedWith([...ALWAYS, ...refusals]) },
  };
}

function succeeded(sharing: readonly Endpoint[], schemaOf: (schema: z.ZodType) => unknown): Record<string, unknown> {
  const content = Object.fromEntries(
    sharing.flatMap(({ answers }) =>
      Object.entries(answers).map(([type, schema]) => [
        type,
        schema === null ? contentOf(type) : { schema: schemaOf(schema) },
      ]),
    ),
  );
  const status = sharing[0]?.status ?? 200;
  return { [status]: { description: status === 200 ? 'The answer.' : 'Where to go.', content } };
}

/** Bytes have no schema in OpenAPI 3.1. */
function contentOf(type: string): object {
  return type === 'application/octet-stream' ? {} : { schema: { type: 'string' } };
}

function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean);
  // The index of the profiles and what leads to it differ in a slash only.
  if (path.length > 1 && path.endsWith('/')) words.push('index');
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}
