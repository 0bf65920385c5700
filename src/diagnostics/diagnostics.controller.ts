/*
 * endpoint              parameter  values      unit  cost
 * GET /diagnostics      format     json, text  –     one read of every section, see docs/diagnostics.md
 * GET /diagnostics.json –          –           –     the same
 *
 * Without `format` the answer is JSON. A parameter or value that is not in this table is refused with 400.
 */
import { Controller, Get, Header, Inject, Query, Res, UseGuards } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DiagnosticsGuard } from './diagnostics.guard.js';
import { DiagnosticsService } from './diagnostics.service.js';
import { HttpRefusal } from './http-refusal.js';
import { summaryText } from './summary-text.js';

const formats = ['json', 'text'] as const;
type Format = (typeof formats)[number];

/** The diagnostics over HTTP. */
@Controller()
@UseGuards(DiagnosticsGuard)
export class DiagnosticsController {
  constructor(
    @Inject(DiagnosticsService) private readonly diagnostics: DiagnosticsService,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get('diagnostics')
  async read(@Query() query: Record<string, unknown>, @Res({ passthrough: true }) response: unknown): Promise<string> {
    refuseUnknown(query, ['format']);
    const format = formatOf(query['format']);
    const summary = await this.diagnostics.read();
    this.adapterHost.httpAdapter.setHeader(
      response,
      'Content-Type',
      format === 'text' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
    );
    return format === 'text' ? summaryText(summary) : asJson(summary);
  }

  @Get('diagnostics.json')
  @Header('Content-Type', 'application/json; charset=utf-8')
  async readJson(@Query() query: Record<string, unknown>): Promise<string> {
    refuseUnknown(query, []);
    return asJson(await this.diagnostics.read());
  }
}

function refuseUnknown(query: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(query).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new HttpRefusal('INVALID_ARGUMENT', 'unknown query parameter', { unknown: unknown.slice(0, 10), known });
}

function formatOf(value: unknown): Format {
  if (value === undefined) return 'json';
  // A parameter given twice comes as an array.
  const format = formats.find((known) => known === value);
  if (format === undefined) throw new HttpRefusal('INVALID_ARGUMENT', 'unknown format', { known: formats });
  return format;
}

/** Indented: it is read by people with curl and a browser as often as by programs. */
function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
