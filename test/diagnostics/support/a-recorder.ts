import type { DiagnosticsLog } from '../../../src/diagnostics/diagnostics-log';
import { Recorder } from '../../../src/diagnostics/recorder/recorder';
import { recorderSettings } from '../../../src/diagnostics/recorder/recorder.options';

/** One that keeps nothing but what is in memory. */
export function aRecorder(log: DiagnosticsLog): Recorder {
  return new Recorder({ settings: recorderSettings(), inFlightCount: () => null, suspects: () => [], log });
}
