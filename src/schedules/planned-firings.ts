import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SETTINGS } from '../config/config.module.js';
import type { Settings } from '../config/settings.js';
import type { DueItem } from '../runs/due-item.js';
import type { Firing } from './schedule-store.js';

const MAX_COUNT = 4_096;
/** Of the specs that are held, about two bytes each. */
const MAX_CHARS = 1_048_576;
/** A plan that was not used by then is forgotten: another replica fired the tick, or it was put off. */
const KEPT_AFTER_DUE_MS = 1_000;
const SWEEP_EVERY_MS = 2_000;

interface Planned {
  dueAt: number;
  firing: Firing;
  /** By performance.now(). */
  forgottenAt: number;
}

/**
 * What was planned for ticks before they were due. A plan is not a promise: the script that fires compares the schedule with what
 * the plan was made from.
 */
@Injectable()
export class PlannedFirings implements OnApplicationShutdown {
  private readonly plans = new Map<string, Planned>();
  private chars = 0;
  private timer?: NodeJS.Timeout;
  /** A tick that is later by more is planned again: it is told as late, and perhaps not fired at all. */
  private readonly inTimeMs: number;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.inTimeMs = Math.min(settings.lateAfterMs, settings.misfireThresholdMs);
  }

  /** How many are held. */
  get count(): number {
    return this.plans.size;
  }

  has(item: DueItem): boolean {
    return this.plans.get(keyOf(item))?.dueAt === item.dueAt;
  }

  /**
   * @param now Redis' time
   * @param make makes the plan as for the instant at which the tick is due; what throws is not kept
   * @returns what is held now; undefined when there is no room, or it cannot be planned ahead
   */
  plan(item: DueItem, now: number, make: () => Firing): Firing | undefined {
    this.forget(keyOf(item));
    if (item.dueAt <= now || this.plans.size >= MAX_COUNT) return undefined;
    let firing: Firing;
    try {
      firing = make();
    } catch {
      return undefined;
    }
    // Ticks that were overdue already are judged by how late they are: at the instant, not before.
    if ((firing.latenessMs ?? 0) > 0 || this.chars + firing.specText.length > MAX_CHARS) return undefined;
    this.chars += firing.specText.length;
    const forgottenAt = performance.now() + (item.dueAt - now) + KEPT_AFTER_DUE_MS;
    this.plans.set(keyOf(item), { dueAt: item.dueAt, firing, forgottenAt });
    this.timer ??= setTimeout(this.sweep, SWEEP_EVERY_MS).unref();
    return firing;
  }

  /**
   * The plan for a tick that has come, once.
   * @param now Redis' time
   * @returns undefined when there is none that still holds
   */
  take(item: DueItem, now: number): Firing | undefined {
    const planned = this.forget(keyOf(item));
    const lateMs = now - item.dueAt;
    if (planned?.dueAt !== item.dueAt || lateMs > this.inTimeMs) return undefined;
    const { firing } = planned;
    return firing.latenessMs === undefined ? firing : { ...firing, latenessMs: Math.max(0, lateMs) };
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.plans.clear();
  }

  private forget(key: string): Planned | undefined {
    const planned = this.plans.get(key);
    if (planned === undefined) return undefined;
    this.plans.delete(key);
    this.chars -= planned.firing.specText.length;
    return planned;
  }

  private readonly sweep = () => {
    const now = performance.now();
    for (const [key, { forgottenAt }] of this.plans) if (forgottenAt <= now) this.forget(key);
    this.timer = this.plans.size > 0 ? setTimeout(this.sweep, SWEEP_EVERY_MS).unref() : undefined;
  };
}

function keyOf({ namespace, id }: DueItem): string {
  return `${namespace}|${id}`;
}
