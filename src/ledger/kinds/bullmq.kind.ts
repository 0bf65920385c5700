import type { Kind } from './kind.js';

const CLASSES = ['Queue', 'Worker', 'QueueEvents', 'FlowProducer'];

/** BullMQ queues, workers, queue events and flow producers. */
export const bullmq: Kind = {
  name: 'bullmq',
  install(hooks) {
    const hooked = new WeakSet<object>();
    const open = (self: object): void => {
      const name = classOf(self);
      if (!name) return;
      hooks.counter(`bullmq.${name}`, { nature: 'few' }).open(self);
      hooks.endsOnCall(self, ['close']);
    };
    hooks.library('bullmq', ({ exports }) => {
      for (const name of ['QueueBase', ...CLASSES]) {
        const prototype = (exports[name] as { prototype?: Record<string, unknown> } | undefined)?.prototype;
        if (!prototype || hooked.has(prototype)) continue;
        hooked.add(prototype);
        // What the constructor of the base class calls, here or overridden: `createBackend` since 6, `setScripts` before.
        for (const method of ['createBackend', 'setScripts']) {
          if (Object.hasOwn(prototype, method)) hooks.after(prototype, method, open);
        }
      }
      const producer = exports.FlowProducer;
      // Its constructor calls no method of its own. Re-exports are getters and show the class of its own file.
      if (producer && Object.getOwnPropertyDescriptor(exports, 'FlowProducer')?.writable) {
        hooks.constructs(exports, 'FlowProducer', open);
      }
    });
  },
};

/** The library's own class it is or extends. */
function classOf(self: object): string | undefined {
  for (let prototype = Object.getPrototypeOf(self) as object | null; prototype;) {
    const { name } = prototype.constructor;
    if (CLASSES.includes(name)) return name;
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return undefined;
}
