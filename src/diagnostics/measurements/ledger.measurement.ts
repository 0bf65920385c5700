/*
 * ledger: whether it counts, since when, and what that costs. What it counts is in /diagnostics/groups.
 *
 * field              type      unit            source
 * running            bool      –               whether this process counts
 * startedAt          int|null  ms since epoch  when it began to
 * startedLateMs      num       ms              what the process had run before: what was opened then it does not know
 * costMs.capture     num       ms              CPU in stacks, by its own clock
 * costMs.tick        num       ms              CPU in its work once a second
 * costShare          num       ratio           share of one core in the last 5 s, counting included (120 ns each)
 * capturesCount      int       count           stacks taken
 * capturesPerSecond  num       per second      stacks per kind it allows itself now; less than its setting while over budget
 * memoryBytes        int       bytes           estimate from what its tables hold
 * groupsCount        int       count           places it knows
 * samplesCount       int       count           resources it watches one by one
 * locationsCount     int       count           lines it knows
 * failuresCount      int       count           failures inside its own hooks, none of which reached the application
 * lastFailure        str|null  –               the last of them
 * unhooked[]         str       –               functions it could not hook
 *
 * Cost: under 5 µs a read.
 */
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import { ledgerStatus } from '../../ledger/index.js';
import type { Measurement } from '../measurement.js';

export class LedgerMeasurement implements Measurement<DiagnosticsSection<'ledger'>> {
  readonly name = 'ledger';

  read(): DiagnosticsSection<'ledger'> {
    return ledgerStatus();
  }
}
