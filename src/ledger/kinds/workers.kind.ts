import { Worker } from 'node:worker_threads';
import type { Kind } from './kind.js';

/** Worker threads, until they exit. */
export const workers: Kind = {
  name: 'workers',
  install(hooks) {
    const counter = hooks.counter('worker', { nature: 'few' });
    hooks.channel('worker_threads', ({ worker }) => counter.open(worker));
    hooks.onEmit(Worker.prototype, 'exit', (self) => counter.close(self));
  },
};
