import type { INestApplicationContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { InFlight } from './in-flight.js';

const hooks = ['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'] as const;

type Hook = (this: unknown, signal?: string) => unknown;

/**
 * Watches the shutdown hooks of an app, so that a shutdown that hangs can say where. Costs nothing before it is made,
 * and it is made when the shutdown begins.
 */
export class ShutdownTrace {
  private readonly underWay = new Set<string>();
  private anyHookCalled = false;

  constructor(private readonly app: INestApplicationContext) {
    const seen = new Set<object>();
    for (const module of app.get(ModulesContainer, { strict: false }).values()) {
      for (const group of [module.providers, module.controllers, module.injectables, module.middlewares]) {
        for (const wrapper of group.values()) {
          const instance: unknown = wrapper.instance;
          if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
          seen.add(instance);
          this.watch(instance as Record<string, unknown>, nameOf(instance, wrapper.name));
        }
      }
    }
  }

  /** What the shutdown waits for right now, in words for a log line. */
  waitingFor(): string {
    const parts = [...this.underWay];
    if (parts.length === 0)
      parts.push(this.anyHookCalled ? 'the TCP or HTTP listener to close' : 'the start to finish');
    const inFlight = Object.entries(this.inFlight()).filter(([, count]) => count > 0);
    if (inFlight.length > 0) parts.push(`in flight: ${inFlight.map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
    return parts.join('; ');
  }

  private inFlight(): Record<string, number> {
    try {
      return this.app.get(InFlight, { strict: false }).byKind();
    } catch {
      return {};
    }
  }

  private watch(instance: Record<string, unknown>, owner: string): void {
    for (const hook of hooks) {
      const original = instance[hook];
      if (typeof original !== 'function' || !Object.isExtensible(instance)) continue;
      const name = `${owner}.${hook}()`;
      const watched = async (signal?: string): Promise<unknown> => {
        this.anyHookCalled = true;
        this.underWay.add(name);
        try {
          return await (original as Hook).call(instance, signal);
        } finally {
          this.underWay.delete(name);
        }
      };
      Object.defineProperty(instance, hook, { value: watched, configurable: true, writable: true });
    }
  }
}

function nameOf(instance: object, token: unknown): string {
  const className = instance.constructor?.name;
  return className !== undefined && className !== 'Object' ? className : String(token);
}
