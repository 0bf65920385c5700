import type { DiagnosticsSectionName } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import { ActiveResourcesMeasurement } from '../measurements/active-resources.measurement.js';
import { CpuMeasurement } from '../measurements/cpu.measurement.js';
import { EventLoopDelayMeasurement } from '../measurements/event-loop-delay.measurement.js';
import { EventLoopUtilizationMeasurement } from '../measurements/event-loop-utilization.measurement.js';
import { GcMeasurement } from '../measurements/gc.measurement.js';
import { HeapSpacesMeasurement } from '../measurements/heap-spaces.measurement.js';
import { HeapMeasurement } from '../measurements/heap.measurement.js';
import { LedgerMeasurement } from '../measurements/ledger.measurement.js';
import { MemoryMeasurement } from '../measurements/memory.measurement.js';
import { OpenFdsMeasurement } from '../measurements/open-fds.measurement.js';
import { ProcessMeasurement } from '../measurements/process.measurement.js';

/** One of each measurement that every process has, in the order of the page. */
export function standardMeasurements(): (Measurement & { name: DiagnosticsSectionName })[] {
  return [
    new ProcessMeasurement(),
    new MemoryMeasurement(),
    new HeapMeasurement(),
    new HeapSpacesMeasurement(),
    new ActiveResourcesMeasurement(),
    new OpenFdsMeasurement(),
    new EventLoopDelayMeasurement(),
    new EventLoopUtilizationMeasurement(),
    new GcMeasurement(),
    new CpuMeasurement(),
    new LedgerMeasurement(),
  ];
}
