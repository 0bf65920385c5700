import type { CliCommand, CliGroup } from './cli-command.js';
import { agentsGroup } from './commands/agents.group.js';
import { explainCommand } from './commands/explain.command.js';
import { resultsGroup } from './commands/results.group.js';
import { runsGroup } from './commands/runs.group.js';
import { schedulesGroup } from './commands/schedules.group.js';
import { topCommand } from './commands/top.command.js';
import { healthCommand, statsCommand } from './commands/system.commands.js';

/** Every first word, in the order of the help. An option of one name takes a value in all commands, or in none. */
export const commandTable: Readonly<Record<string, CliCommand | CliGroup>> = {
  schedules: schedulesGroup,
  runs: runsGroup,
  agents: agentsGroup,
  results: resultsGroup,
  explain: explainCommand,
  stats: statsCommand,
  health: healthCommand,
  top: topCommand,
};

/** Whether it is commands behind one word. */
export function isGroup(entry: CliCommand | CliGroup): entry is CliGroup {
  return 'actions' in entry;
}

/** Every command under its full name: `schedules pause`, `health`. */
export function allCommands(): Map<string, CliCommand> {
  const found = new Map<string, CliCommand>();
  for (const [name, entry] of Object.entries(commandTable)) {
    if (!isGroup(entry)) found.set(name, entry);
    else for (const [action, command] of Object.entries(entry.actions)) found.set(`${name} ${action}`, command);
  }
  return found;
}
