import { Agent, ClientRequest } from 'node:http';
import type { Kind } from './kind.js';

/** HTTP and HTTPS requests in flight, until they emit 'close'. */
export const httpRequests: Kind = {
  name: 'http-requests',
  install(hooks) {
    const counter = hooks.counter('http.request', { stackDepth: 48 });
    const { state } = hooks;
    const open = (request: object): void => counter.open(request);
    // Runs inside the constructor of ClientRequest, so the caller of http.get is on the stack; also with `agent: false`.
    hooks.wrap(Agent.prototype, 'addRequest', (original) => {
      return function (this: unknown, request: unknown): unknown {
        // eslint-disable-next-line prefer-rest-params -- forwards without an array per request
        const result = original.apply(this, arguments as unknown as unknown[]);
        state.pass('addRequest', open, request as object);
        return result;
      };
    });
    hooks.onEmit(ClientRequest.prototype, 'close', (self) => counter.close(self));
  },
};
