import type { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { JobHandlerFunction } from './job-context.js';
import { JOB_HANDLER } from './job-handler.decorator.js';

/** Job name → handler. */
export type JobHandlers = ReadonlyMap<string, JobHandlerFunction<unknown>>;

/**
 * Finds every `@JobHandler` of the app's providers and controllers.
 * @throws Error when two handlers have one name, or when a handler's provider is made per request and so cannot be called
 */
export function findJobHandlers(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  reflector: Reflector,
): JobHandlers {
  const handlers = new Map<string, JobHandlerFunction<unknown>>();
  const owners = new Map<string, string>();
  const seen = new Set<object>();
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const instance: unknown = wrapper.instance;
    // useExisting shows the same instance under another token.
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
    seen.add(instance);
    const prototype = Object.getPrototypeOf(instance) as object | null;
    if (prototype === null) continue;
    for (const method of [...scanner.getAllMethodNames(prototype), ...symbolsOf(prototype)]) {
      const jobName = handlerName(reflector, prototype, method);
      if (jobName === undefined) continue;
      const owner = `${prototype.constructor?.name ?? String(wrapper.name)}.${String(method)}`;
      if (!wrapper.isDependencyTreeStatic()) {
        throw new Error(
          `@JobHandler('${jobName}') on ${owner}: its provider is not a singleton, so there is no instance to call`,
        );
      }
      const other = owners.get(jobName);
      if (other !== undefined) throw new Error(`@JobHandler('${jobName}') stands on both ${other} and ${owner}`);
      owners.set(jobName, owner);
      handlers.set(jobName, (payload, context) =>
        (instance as Record<string | symbol, JobHandlerFunction<unknown>>)[method]!(payload, context),
      );
    }
  }
  return handlers;
}

/** Nest's scanner knows methods that have a string for a name. */
function symbolsOf(prototype: object): symbol[] {
  const symbols = new Set<symbol>();
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    for (const symbol of Object.getOwnPropertySymbols(at)) {
      // A getter is not called: on a prototype it may throw.
      if (typeof Object.getOwnPropertyDescriptor(at, symbol)?.value === 'function') symbols.add(symbol);
    }
  }
  return [...symbols];
}

function handlerName(reflector: Reflector, prototype: object, method: string | symbol): string | undefined {
  const candidate = (prototype as Record<string | symbol, unknown>)[method];
  return typeof candidate === 'function'
    ? reflector.get<string | undefined>(JOB_HANDLER, candidate as never)
    : undefined;
}
