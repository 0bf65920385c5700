import { Controller } from '@nestjs/common';
import type { CommandReply, CommandRequest } from '../contract/commands.js';
import { RedisClock } from '../redis/redis-clock.js';
import { RedisGate } from '../redis/redis-gate.js';
import { Command } from '../transport/command.decorator.js';
import type { CommandContext } from '../transport/command-context.js';
import { CrowdedSeconds } from './crowded-seconds.js';
import { jitterOf } from './jitter.js';
import { type PreviewWarning, previewTicks } from './schedule-preview.js';

/** `schedule.preview`: stores nothing. */
@Controller()
export class SchedulePreviewController {
  constructor(
    private readonly gate: RedisGate,
    private readonly clock: RedisClock,
    private readonly crowdedSeconds: CrowdedSeconds,
  ) {}

  @Command('schedule.preview')
  async preview(
    request: CommandRequest<'schedule.preview'>,
    context: CommandContext,
  ): Promise<CommandReply<'schedule.preview'>> {
    const { from = Math.ceil(this.clock.now()), count } = request;
    const { runs, warnings } = previewTicks({ timing: request, count, from });
    const instants = dueInstants(request, runs);
    if (instants.length === 0) return { runs, warnings };
    const crowded = await this.gate.run(context.deadlineAt, (redis) =>
      this.crowdedSeconds.of(redis, request.namespace, instants, request.id),
    );
    const crowdedWarnings = crowded.map(({ at, scheduleCount }): PreviewWarning => {
      const message = `${scheduleCount} schedules of namespace ${request.namespace} are due within the second from ${new Date(at).toISOString()} on: jitterMs would spread them`;
      return { code: 'CROWDED_SECOND', at, message };
    });
    return { runs, warnings: [...warnings, ...crowdedWarnings] };
  }
}

/** When the previewed runs would really be due. Jitter is made of the id: without one nobody knows, and it cures crowds anyway. */
function dueInstants(request: CommandRequest<'schedule.preview'>, runs: readonly number[]): readonly number[] {
  const { namespace, id, jitterMs } = request;
  if (jitterMs === 0) return runs;
  return id === undefined ? [] : runs.map((tickAt) => tickAt + jitterOf(namespace, id, tickAt, jitterMs));
}
