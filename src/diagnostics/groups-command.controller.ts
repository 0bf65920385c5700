import { Controller, Inject } from '@nestjs/common';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { Command } from '../transport/command.decorator.js';
import { GroupsService } from './groups.service.js';

/** `diagnostics.groups`: what is alive and which line made it, over TCP. Given to DiagnosticsModule in `controllers`. */
@Controller()
export class GroupsCommandController {
  constructor(@Inject(GroupsService) private readonly groups: GroupsService) {}

  @Command('diagnostics.groups')
  async list({
    kind,
    min,
    sort,
    limit,
  }: CommandRequest<'diagnostics.groups'>): Promise<CommandReply<'diagnostics.groups'>> {
    return this.groups.list({ kind, min, sort, limit });
  }
}
