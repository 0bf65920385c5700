import type { MemoryReading } from './memory-cgroup.js';

const MINUTE_MS = 60_000;
const MiB = 2 ** 20;

/** What a process says of itself at the moment of a reading, in bytes. */
export interface OwnReading {
  /** Objects of V8, live or not yet collected. */
  heapUsedBytes: number;
  /** What the heap has of the machine. */
  heapPhysicalBytes: number;
  /** Buffers, and other memory that objects hold outside the heap. */
  externalBytes: number;
}

interface Reading extends MemoryReading {
  minute: number;
  commandsCount: number;
  heapUsedBytes: number;
  /** What cannot be given back: all but pages of files. At the limit the kernel kills for this, and for nothing else. */
  heldBytes: number;
  /** Of that, what is neither heap nor buffers: what the memory arithmetic calls the native baseline. */
  nativeBytes: number;
}

type Quarter = 0 | 1 | 2 | 3;
type Figure = 'workingSetBytes' | 'heldBytes' | 'heapUsedBytes' | 'nativeBytes';

/** Readings of a pod's memory under load, told minute by minute. */
export class MemoryMinutes {
  private readonly readings: Reading[] = [];
  private readonly startedAt = Date.now();

  /** @param commandsCount answered since the start */
  add(reading: MemoryReading, own: OwnReading, commandsCount: number): void {
    const heldBytes = reading.usageBytes - reading.fileBytes;
    this.readings.push({
      ...reading,
      minute: Math.floor((Date.now() - this.startedAt) / MINUTE_MS),
      commandsCount,
      heapUsedBytes: own.heapUsedBytes,
      heldBytes,
      nativeBytes: heldBytes - own.heapPhysicalBytes - own.externalBytes,
    });
  }

  /** The largest of all readings. */
  largest(figure: Figure): number {
    return Math.max(...this.readings.map((reading) => reading[figure]));
  }

  /** Median of the readings of one quarter of the time. @param quarter 0 to 3 */
  ofQuarter(quarter: Quarter, figure: Figure): number {
    return median(this.quarter(quarter), figure);
  }

  /** What of the heap is there after collections: the least of one quarter of the time. */
  heapFloorBytes(quarter: Quarter): number {
    return Math.min(...this.quarter(quarter).map(({ heapUsedBytes }) => heapUsedBytes));
  }

  /** A Markdown table with a row for each minute: sizes in MiB, medians where nothing else is said. */
  table(): string {
    const inMiB = (bytes: number) => (bytes / MiB).toFixed(1);
    const head = [
      'minute',
      'commands',
      'working set',
      'its highest',
      'held',
      'heap, its lowest',
      'native',
      'files read again',
    ];
    const rows: (string | number)[][] = [];
    let commandsBefore = 0;
    let readAgainBefore = 0;
    for (let minute = 0; minute <= (this.readings.at(-1)?.minute ?? -1); minute += 1) {
      const readings = this.readings.filter((reading) => reading.minute === minute);
      if (readings.length === 0) continue;
      const { commandsCount, readAgainBytes } = readings.at(-1)!;
      rows.push([
        minute + 1,
        commandsCount - commandsBefore,
        inMiB(median(readings, 'workingSetBytes')),
        inMiB(Math.max(...readings.map(({ workingSetBytes }) => workingSetBytes))),
        inMiB(median(readings, 'heldBytes')),
        inMiB(Math.min(...readings.map(({ heapUsedBytes }) => heapUsedBytes))),
        inMiB(median(readings, 'nativeBytes')),
        inMiB(readAgainBytes - readAgainBefore),
      ]);
      commandsBefore = commandsCount;
      readAgainBefore = readAgainBytes;
    }
    return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  }

  /** Pages of files that were dropped and read again in the last three quarters: much of it is a process that runs from the disk. */
  get readAgainBytes(): number {
    return this.readings.at(-1)!.readAgainBytes - this.quarter(0).at(-1)!.readAgainBytes;
  }

  private quarter(quarter: Quarter): Reading[] {
    const at = (part: number) => Math.floor((this.readings.length * part) / 4);
    return this.readings.slice(at(quarter), at(quarter + 1));
  }
}

function median(readings: readonly Reading[], figure: Figure): number {
  const values = readings.map((reading) => reading[figure]).sort((one, other) => one - other);
  return values[Math.floor(values.length / 2)]!;
}
