/*
 * recorder: what it has kept of this life, and what it had to drop. The samples are in /diagnostics/history.
 *
 * field                 type      unit            source
 * life                  str       –               id of this life, see /diagnostics/lives
 * samplesCount          int       count           samples in memory
 * historyBytes          int       bytes           their length as JSON
 * evidenceCount         int       count           files of evidence that this life wrote
 * file.writtenCount     int|null  count           records in the file of this life; null without a directory
 * file.droppedCount     int|null  count           records that could not be written
 * file.failing          str|null  –               why, while nothing can be written
 * copy.writtenCount     int|null  count           records that Redis has confirmed; null where no copy is kept there
 * copy.droppedCount     int|null  count           records that it has not confirmed in time, or that were not sent
 * copy.underWayCount    int|null  count           records that wait for their confirmation
 * copy.lastWrittenAt    int|null  ms since epoch  when it last confirmed one
 * copy.failing          str|null  –               why the last one was dropped, until one is confirmed
 *
 * Cost: under 1 µs a read.
 */
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';
import type { Recorder } from '../recorder/recorder.js';

export class RecorderMeasurement implements Measurement<DiagnosticsSection<'recorder'>> {
  readonly name = 'recorder';

  constructor(private readonly recorder: Pick<Recorder, 'status'>) {}

  read(): DiagnosticsSection<'recorder'> {
    return this.recorder.status;
  }
}
