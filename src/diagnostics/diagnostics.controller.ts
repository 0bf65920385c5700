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
import { asJson, formatOf, refuseUnknown } from './http-query.js';
import { summaryText } from './summary-text.js';

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
