import type { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { JobHandlerFunction } from './job-context.js';
import { JOB_HANDLER } from './job-handler.decorator.js';

/** Job name → handler. */
export type JobHandlers = ReadonlyMap<string, JobHandlerFunction<unknown>>;

/**
 * Finds every `@JobHandler` of the app's providers.
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
  for (const wrapper of discovery.getProviders()) {
    const instance: unknown = wrapper.instance;
    // useExisting shows the same instance under another token.
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
    seen.add(instance);
    const prototype = Object.getPrototypeOf(instance) as object | null;
    if (prototype === null) continue;
    for (const method of scanner.getAllMethodNames(prototype)) {
      const jobName = handlerName(reflector, prototype, method);
      if (jobName === undefined) continue;
      const owner = `${prototype.constructor?.name ?? String(wrapper.name)}.${method}`;
      if (!wrapper.isDependencyTreeStatic()) {
        throw new Error(
          `@JobHandler('${jobName}') on ${owner}: its provider is not a singleton, so there is no instance to call`,
        );
      }
      const other = owners.get(jobName);
      if (other !== undefined) throw new Error(`@JobHandler('${jobName}') stands on both ${other} and ${owner}`);
      owners.set(jobName, owner);
      handlers.set(jobName, (payload, context) =>
        (instance as Record<string, JobHandlerFunction<unknown>>)[method]!(payload, context),
      );
    }
  }
  return handlers;
}

function handlerName(reflector: Reflector, prototype: object, method: string): string | undefined {
  const candidate = (prototype as Record<string, unknown>)[method];
  return typeof candidate === 'function'
    ? reflector.get<string | undefined>(JOB_HANDLER, candidate as never)
    : undefined;
}
