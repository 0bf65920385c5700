/*
 * endpoint                     parameter  values  unit  cost
 * GET /diagnostics             –          –       –     to browsers (Accept: text/html): the page; the first read loads it
 * GET /diagnostics/page/:file  –          –       –     its scripts and styles, from memory
 *
 * The page holds nothing of the process: what it shows, it asks for. So it is given to whoever may come this far, and asks
 * for the token itself where one is needed: a browser cannot send one with an address typed by hand.
 */
import Negotiator from 'negotiator';
import { z } from 'zod';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint, type EndpointAnswer } from '../http/endpoint.js';
import { HttpRefusal } from '../http/http-refusal.js';
import { PageAssets } from './page-assets.js';

const INDEX = 'index.html';

/** Its own scripts and styles, its own data, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page for people. */
export class PagePart implements DiagnosticsPart {
  private readonly assets = new PageAssets();

  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics',
      summary: 'The page, to browsers.',
      open: true,
      // Whoever names a format, or would rather have JSON, gets the figures; so does everybody where the page was not built.
      wants: (headers, query) =>
        query.size === 0 &&
        this.assets.file(INDEX) !== undefined &&
        new Negotiator({ headers }).mediaType(['application/json', 'text/html']) === 'text/html',
      query: z.strictObject({}),
      answers: { 'text/html': null },
      answer: () => this.answer(INDEX),
    }),
    endpoint({
      method: 'GET',
      path: '/diagnostics/page/:file',
      summary: 'Scripts and styles of the page.',
      open: true,
      query: z.strictObject({}),
      answers: { 'text/javascript': null, 'text/css': null },
      refusals: ['NOT_FOUND'],
      answer: ({ params }) => this.answer(params['file']!),
    }),
  ];

  private answer(name: string): EndpointAnswer {
    const asset = this.assets.file(name);
    if (!asset) throw new HttpRefusal('NOT_FOUND', 'no such file');
    return { ...asset, headers: { 'Content-Security-Policy': POLICY } };
  }
}
