/*
 * endpoint                 parameter  cost
 * GET /diagnostics/report  –          6 … 200 ms of standstill, by the number of handles; one at a time
 */
import { z } from 'zod';
import type { DiagnosticsPart } from '../diagnostics-part.js';
import { endpoint, type Endpoint } from '../http/endpoint.js';
import { jsonOrText } from '../http/http-query.js';
import { redactedReport } from './redacted-report.js';
import { takenReport } from './taken-report.js';

/** Node's own diagnostic report, without environment, arguments and addresses. */
export class ReportPart implements DiagnosticsPart {
  readonly endpoints: readonly Endpoint[] = [
    endpoint({
      method: 'GET',
      path: '/diagnostics/report',
      summary: "Node's diagnostic report of the process and its workers, without environment, arguments and addresses.",
      query: z.strictObject({}),
      answers: { 'application/json': z.looseObject({ header: z.looseObject({ nodejsVersion: z.string() }) }) },
      costlySeconds: () => 1,
      answer: () => jsonOrText('json', redactedReport(takenReport()), String),
    }),
  ];
}
