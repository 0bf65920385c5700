import { Agent } from 'node:http';
import type { Kind } from './kind.js';

/**
 * HTTP and HTTPS agents that keep connections alive: one made per call keeps idle sockets, which are unref'd and therefore in
 * none of Node's own lists. One that keeps none (Node makes such an agent for every request with `agent: false`) is garbage
 * like any other object. So is one without sockets: its collection is its normal end.
 */
export const httpAgents: Kind = {
  name: 'http-agents',
  install(hooks) {
    const counter = hooks.counter('http.agent', { endsByCollection: true });
    // The first method its constructor calls.
    hooks.before(Agent.prototype, 'on', (self, [event]) => {
      // Set by then; the constructor listens for its own event last.
      if (event === 'free' && (self as { keepAlive?: boolean }).keepAlive === true) counter.open(self);
    });
    hooks.before(Agent.prototype, 'destroy', (self) => counter.close(self));
  },
};
