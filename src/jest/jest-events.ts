/** What the runner of jest (circus) tells those that listen, as far as we want to know. */
export interface JestEvent {
  readonly name: string;
  readonly test?: { readonly errors: unknown[] };
}

export interface JestState {
  /** Failures of the file as a whole. */
  readonly unhandledErrors: unknown[];
}

export type JestEventHandler = (event: JestEvent, state: JestState) => Promise<void> | void;

/**
 * Listens to the runner of this test file. An `afterAll` of ours would run before those of the test file, which is what closes
 * its application.
 * @throws Error with code `NO_JEST` outside of jest, or under a runner other than circus (the default since jest 27)
 */
export function onJestEvent(handler: JestEventHandler): void {
  const handlers = (globalThis as Record<symbol, unknown>)[Symbol.for('EVENT_HANDLERS')] as
    JestEventHandler[] | undefined;
  if (!Array.isArray(handlers)) {
    throw Object.assign(new Error('mu-commander/jest works inside jest only, with its runner jest-circus'), {
      code: 'NO_JEST',
    });
  }
  // After the runner's own, before those that report what it found.
  handlers.splice(1, 0, handler);
}
