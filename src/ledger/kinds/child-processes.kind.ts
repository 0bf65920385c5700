import { ChildProcess } from 'node:child_process';
import type { Kind } from './kind.js';

/** Child processes, until they exit. */
export const childProcesses: Kind = {
  name: 'child-processes',
  install(hooks) {
    const counter = hooks.counter('child_process');
    hooks.channel('child_process', ({ process }) => counter.open(process));
    hooks.onEmit(ChildProcess.prototype, 'exit', (self) => counter.close(self));
    hooks.onEmit(ChildProcess.prototype, 'error', (self) => {
      if ((self as ChildProcess).pid === undefined) counter.withdraw(self);
    });
  },
};
