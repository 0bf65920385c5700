/*
 * endpoint                       parameter  cost
 * GET /diagnostics/openapi.json  –          the first request makes it, the others get the same
 */
import { z } from 'zod';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { asJson } from '../http/http-query.js';
import { openApiDocument, type OpenApiDocument } from './openapi-document.js';

/** All that is served, as an OpenAPI document. */
export class OpenApiPart implements DiagnosticsPart {
  private made: OpenApiDocument | undefined;

  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/openapi.json',
      summary: 'This document: all that the diagnostics serve, in OpenAPI 3.1.',
      query: z.strictObject({}),
      answers: { 'application/json': z.looseObject({ openapi: z.literal('3.1.0'), paths: z.looseObject({}) }) },
      answer: ({ prefix }) => {
        this.made ??= openApiDocument(this.served());
        return {
          type: 'application/json; charset=utf-8',
          body: asJson({ ...this.made, servers: [{ url: prefix === '' ? '/' : prefix }] }),
        };
      },
    }),
  ];

  /** @param served all endpoints, this one among them */
  constructor(private readonly served: () => readonly Endpoint[]) {}
}
