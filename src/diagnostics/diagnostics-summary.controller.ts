import { Controller, Inject } from '@nestjs/common';
import type { CommandReply } from '../contract/commands.js';
import { Command } from '../transport/command.decorator.js';
import { DiagnosticsService } from './diagnostics.service.js';

/**
 * `diagnostics.summary`: the same answer over TCP, for when the HTTP side is wedged. Not part of DiagnosticsModule by
 * itself, which works in applications without our transport: give it in `controllers`.
 */
@Controller()
export class DiagnosticsSummaryController {
  constructor(@Inject(DiagnosticsService) private readonly diagnostics: DiagnosticsService) {}

  @Command('diagnostics.summary')
  async summary(): Promise<CommandReply<'diagnostics.summary'>> {
    return this.diagnostics.read();
  }
}
