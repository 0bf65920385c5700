import type { MemoryFigures } from '../../../ledger/process/memory-figures.js';

/** Below this share of the cgroup's limit left, or with so few looks until none is left, the end is near. */
const NEAR_RATIO = 0.15;
const NEAR_LOOKS = 3;
/** A limit that was passed is left again only this much below it: no flapping. */
const HYSTERESIS_RATIO = 0.05;
/** V8's heap counts as full when it was in each of so many looks: garbage that is about to be collected is not pressure. */
const HEAP_LOOKS = 10;

/** A limit that memory has come too close to. */
export interface MemoryPressure {
  limit: 'memory limit' | 'V8 heap limit';
  usedBytes: number;
  limitBytes: number;
}

/** Compares memory with its limits, once a second; every look is remembered for the next. */
export class MemoryWatch {
  private readonly heapFloors: number[] = [];
  private lastLeftBytes: number | null = null;
  private current: MemoryPressure | null = null;
  private near = false;

  constructor(private readonly softLimitRatio: number) {}

  /** What is over the soft limit; null while nothing is. */
  get pressure(): MemoryPressure | null {
    return this.current;
  }

  /** Whether the kernel, or V8, may end the process before the next few looks. */
  get isNear(): boolean {
    return this.near;
  }

  look({ limitBytes, usedBytes, heapUsedBytes, heapLimitBytes }: MemoryFigures): void {
    this.heapFloors.push(heapUsedBytes);
    if (this.heapFloors.length > HEAP_LOOKS) this.heapFloors.shift();
    const heapFloorBytes = this.heapFloors.length < HEAP_LOOKS ? 0 : Math.min(...this.heapFloors);
    const heap: MemoryPressure = { limit: 'V8 heap limit', usedBytes: heapFloorBytes, limitBytes: heapLimitBytes };
    const group: MemoryPressure | null = limitBytes === null ? null : { limit: 'memory limit', usedBytes, limitBytes };

    this.current = [group, heap].find((candidate) => candidate !== null && this.isOver(candidate)) ?? null;
    this.near = usedRatio(heap) > 1 - NEAR_RATIO || (group !== null && this.isNearly(group));
    this.lastLeftBytes = group === null ? null : group.limitBytes - group.usedBytes;
  }

  private isOver(candidate: MemoryPressure): boolean {
    const wasOver = this.current?.limit === candidate.limit;
    return usedRatio(candidate) >= this.softLimitRatio - (wasOver ? HYSTERESIS_RATIO : 0);
  }

  private isNearly({ usedBytes, limitBytes }: MemoryPressure): boolean {
    const leftBytes = limitBytes - usedBytes;
    const takenBytes = (this.lastLeftBytes ?? leftBytes) - leftBytes;
    return leftBytes < limitBytes * NEAR_RATIO || takenBytes * NEAR_LOOKS > leftBytes;
  }
}

export function usedRatio({ usedBytes, limitBytes }: MemoryPressure): number {
  return usedBytes / limitBytes;
}
