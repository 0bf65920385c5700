import { Agent } from 'node:http';
import type { Kind } from './kind.js';

/**
 * HTTP and HTTPS agents. An agent per call keeps idle sockets that are unref'd and therefore in none of Node's own lists.
 * One without sockets is garbage like any other object, so its collection is its normal end.
 */
export const httpAgents: Kind = {
  name: 'http-agents',
  install(hooks) {
    const counter = hooks.counter('http.agent', { endsByCollection: true });
    // The first method its constructor calls.
    hooks.before(Agent.prototype, 'on', (self, [event]) => {
      if (event === 'free') counter.open(self);
    });
    hooks.before(Agent.prototype, 'destroy', (self) => counter.close(self));
  },
};
