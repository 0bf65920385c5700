import { Controller, Inject } from '@nestjs/common';
import type { CommandReply } from '../contract/commands.js';
import { Command } from '../transport/command.decorator.js';
import { HealthService } from './health.service.js';

/** `system.health`: what `/readyz` knows, over TCP. Not being ready is an answer here, not an error. */
@Controller()
export class SystemHealthController {
  constructor(@Inject(HealthService) private readonly health: HealthService) {}

  @Command('system.health')
  async check(): Promise<CommandReply<'system.health'>> {
    return this.health.check();
  }
}
