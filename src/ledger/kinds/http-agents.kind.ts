import { Agent } from 'node:http';
// Makes Node's own agent as it is loaded, which is nobody's line: before the hook, and not whenever somebody needs it first.
import 'node:https';
import { recordOf } from '../counting/record-slot.js';
import type { Kind } from './kind.js';

/**
 * HTTP and HTTPS agents that keep connections alive: one made per call keeps idle sockets, which are unref'd and therefore in
 * none of Node's own lists. One that keeps none (Node makes such an agent for every request with `agent: false`) is garbage
 * like any other object. So is one without sockets: its collection is its normal end.
 */
export const httpAgents: Kind = {
  name: 'http-agents',
  install(hooks) {
    const counter = hooks.counter('http.agent', { endsByCollection: true, lingers: true, nature: 'few' });
    const { state } = hooks;
    const open = (agent: object): void => counter.open(agent);
    // The first method its constructor calls. Without `keepAlive` it is left at once: there is one for every such request.
    hooks.wrap(Agent.prototype, 'on', (original) => {
      return function (this: unknown, event: unknown): unknown {
        if (event === 'free' && (this as { keepAlive?: boolean }).keepAlive === true) {
          state.pass('before on', open, this as object);
        }
        // eslint-disable-next-line prefer-rest-params -- forwards without an array per agent
        return original.apply(this, arguments as unknown as unknown[]);
      };
    });
    // An idle socket is the pool's: what keeps it is whoever made the agent, not the request that has long been answered.
    const adopt = (agent: object, socket: unknown): void =>
      recordOf(socket as object)?.counter?.adopt(agent, socket as object);
    hooks.wrap(Agent.prototype, 'emit', (original) => {
      return function (this: unknown, event: unknown, socket: unknown): unknown {
        if (event === 'free' && (this as { keepAlive?: boolean }).keepAlive === true) {
          state.pass('free', adopt, this as object, socket);
        }
        // eslint-disable-next-line prefer-rest-params -- forwards without an array per answer
        return original.apply(this, arguments as unknown as unknown[]);
      };
    });
    hooks.before(Agent.prototype, 'destroy', (self) => counter.close(self));
  },
};
