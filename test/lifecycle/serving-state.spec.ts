import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { LifecycleModule } from '../../src/lifecycle/lifecycle.module.js';
import { ServingState } from '../../src/lifecycle/serving-state.js';

describe('ServingState', () => {
  async function app() {
    const seen: string[] = [];
    class Feature {
      constructor(private readonly state: ServingState) {}

      onModuleInit(): void {
        seen.push(this.state.state);
      }

      beforeApplicationShutdown(): void {
        seen.push(this.state.state);
      }
    }
    @Module({
      imports: [LifecycleModule],
      providers: [
        { provide: Feature, useFactory: (state: ServingState) => new Feature(state), inject: [ServingState] },
      ],
    })
    class App {}
    const context = await Test.createTestingModule({ imports: [App] }).compile();
    return { context, seen, state: context.get(ServingState) };
  }

  it('starts, serves once everything has started, and drains when the app is closed without a signal', async () => {
    const { context, seen, state } = await app();
    expect(state.state).toBe('starting');
    await context.init();
    expect(state.state).toBe('serving');
    expect(state.isDraining).toBe(false);
    await context.close();
    expect(seen).toEqual(['starting', 'draining']);
    expect(state.isDraining).toBe(true);
  });

  it('does not serve again once it drains', async () => {
    const { context, state } = await app();
    state.drain();
    await context.init();
    expect(state.state).toBe('draining');
    await context.close();
  });
});
