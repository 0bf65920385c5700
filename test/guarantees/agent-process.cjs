// An agent as a process of its own, so that it can be killed for good. It appends to AGENT_LOG a line when a handler begins and
// one when it ends; what it has written survives it.
// Times are of the monotonic clock, which all processes of a machine share and no skew touches.
const { openSync, writeSync } = require('node:fs');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { DIST_DIR, AGENT_LOG, AGENT_OPTIONS } = process.env;
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { CommanderAgentModule, JobFailure, JobHandler } = require(join(DIST_DIR, 'sdk/agent.js'));

const options = JSON.parse(AGENT_OPTIONS);
const log = openSync(AGENT_LOG, 'a');
let executionsCount = 0;

const monotonicMs = () => Number(process.hrtime.bigint() / 1_000n) / 1_000;
const write = (line) => writeSync(log, `${JSON.stringify({ at: monotonicMs(), ...line })}\n`);

/** A number from 0 to below 1 that is the same for the same text. */
function shareOf(text) {
  let hash = 2_166_136_261;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619) >>> 0;
  return hash / 4_294_967_296;
}

function fails({ fail = 'never' }, { runId, attempt }) {
  switch (fail) {
    case 'always':
      return true;
    case 'first-attempt':
      return attempt === 1;
    case 'half':
      return shareOf(runId) < 0.5;
    // Every agent has its bad seconds.
    case 'flapping':
      return shareOf(`${options.agentId}${Math.floor(monotonicMs() / 2_000)}`) < 0.3;
    default:
      return false;
  }
}

class Work {
  async work(payload, context) {
    const { runId, idempotencyKey: key, epoch, attempt, signal } = context;
    const execution = `${options.agentId}-${process.pid}-${(executionsCount += 1)}`;
    write({ event: 'begin', execution, agentId: options.agentId, runId, key, epoch, attempt });
    let ended = 'aborted';
    try {
      const [low, high] = payload.ms ?? [0, 0];
      const ms = low + shareOf(runId) * (high - low);
      if (ms > 0) await sleep(ms, undefined, { signal });
      ended = 'failed';
      if (fails(payload, context)) throw new JobFailure('as ordered');
      ended = 'succeeded';
      return { execution, epoch, tickAt: context.tickAt ?? null, shard: context.shard ?? null };
    } finally {
      write({ event: 'end', execution, runId, ended });
    }
  }
}
JobHandler('work')(Work.prototype, 'work', Object.getOwnPropertyDescriptor(Work.prototype, 'work'));

class AgentModule {}
Module({ imports: [CommanderAgentModule.forRoot(options)], providers: [Work] })(AgentModule);

void NestFactory.createApplicationContext(AgentModule, { logger: ['error'] }).then((app) => {
  app.enableShutdownHooks();
  process.send?.({ type: 'ready' });
  process.channel?.unref();
});
