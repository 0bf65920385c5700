import { readSettings } from '../../src/config/settings.js';
import { commanderAgentOptionsSchema } from '../../src/sdk/commander-agent.options.js';

it('an agent sends no result that commander refuses, where neither is told another length', () => {
  const { maxResultBytes } = commanderAgentOptionsSchema.parse({});
  expect(maxResultBytes).toBe(readSettings({}).maxResultBytes);
});
