import { gunzipSync } from 'node:zlib';
import { get, request } from 'node:http';
import type { z } from 'zod';
import { Diagnostics } from '../../../src/diagnostics/diagnostics';
import type { Endpoint } from '../../../src/diagnostics/http/endpoint';

const quiet = { info: () => undefined, warn: () => undefined };

/** All that the diagnostics serve, whoever added it. */
export const everyEndpoint: readonly Endpoint[] = new Diagnostics({ log: quiet }).endpoints;

export const titleOf = ({ method, path, wants }: Endpoint): string =>
  `${method} ${path}${wants === undefined ? '' : ' to some'}`;

/** A path that it answers; `:name` is filled from `params`. */
export function pathOf({ path }: Endpoint, params: Readonly<Record<string, string>> = {}): string {
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? 'unknown'));
}

/** The queries that make it answer in each of its ways: every value of each choice, and the shortest of what takes time. */
export function queriesOf({ query }: Endpoint): string[] {
  const shape = query.shape as Record<string, z.ZodType>;
  const choices = Object.entries(shape).flatMap(([name, schema]) => optionsOf(schema).map((value) => [name, value]));
  const timed = ['seconds', 'delta'].filter((name) => name in shape).map((name) => [name, '1']);
  return ['', ...[...choices, ...timed].map(([name, value]) => `${name}=${value}`)];
}

function optionsOf(schema: z.ZodType): string[] {
  const inner = schema as { options?: readonly unknown[]; unwrap?: () => z.ZodType };
  if (typeof inner.unwrap === 'function') return optionsOf(inner.unwrap());
  return (inner.options ?? []).filter((option) => typeof option === 'string');
}

export interface FullAnswer {
  status: number;
  /** Head and body, unpacked. */
  text: string;
}

/** Reads an answer as a whole; one that does not end is cut after `forMs`. */
export function fullAnswer(
  base: string,
  method: string,
  path: string,
  { headers = {}, forMs = 3_000 }: { headers?: Record<string, string>; forMs?: number } = {},
): Promise<FullAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${base}${path}`, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      const endless = response.headers['content-type']?.startsWith('text/event-stream');
      const timer = endless ? setTimeout(() => response.destroy(), forMs) : undefined;
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => undefined);
      response.on('close', () => {
        clearTimeout(timer);
        const body = Buffer.concat(chunks);
        const text = body.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b])) ? gunzipSync(body) : body;
        resolve({
          status: response.statusCode!,
          text: `${JSON.stringify(response.rawHeaders)}\n${text.toString('utf8')}`,
        });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Holds the place of costly requests until it is told to let go. */
export function holdCostlySlot(base: string): () => Promise<void> {
  const held = get(`${base}/diagnostics/groups?delta=30`, { agent: false }).on('error', () => undefined);
  const closed = new Promise<void>((resolve) => held.on('close', resolve));
  return () => {
    held.destroy();
    return closed;
  };
}
