import { existsSync, readFileSync } from 'node:fs';

/** One call of a handler, as the agent itself wrote it down. Times are ms since the epoch by the clock of this process. */
export interface Execution {
  execution: string;
  agentId: string;
  runId: string;
  key: string;
  epoch: number;
  attempt: number;
  beganAt: number;
  endedAt?: number;
  /** Absent: the agent was killed in the middle of it. */
  ended?: 'succeeded' | 'failed' | 'aborted';
}

type Line =
  | {
      at: number;
      event: 'begin';
      execution: string;
      agentId: string;
      runId: string;
      key: string;
      epoch: number;
      attempt: number;
    }
  | { at: number; event: 'end'; execution: string; ended: Execution['ended'] };

/** Reads back what the agents executed, in the order in which it began. */
export function readAgentLog(file: string): Execution[] {
  if (!existsSync(file)) return [];
  // The agents write down the monotonic clock: this turns it into ours.
  const offsetMs = Date.now() - Number(process.hrtime.bigint() / 1_000n) / 1_000;
  const executions = new Map<string, Execution>();
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    if (text === '') continue;
    const line = JSON.parse(text) as Line;
    if (line.event === 'begin') {
      const { at, event: _event, ...facts } = line;
      executions.set(line.execution, { ...facts, beganAt: at + offsetMs });
    } else {
      const execution = executions.get(line.execution);
      if (execution === undefined) throw new Error(`${file}: the end of an execution that did not begin: ${text}`);
      execution.endedAt = line.at + offsetMs;
      execution.ended = line.ended;
    }
  }
  return [...executions.values()].sort((a, b) => a.beganAt - b.beganAt);
}
