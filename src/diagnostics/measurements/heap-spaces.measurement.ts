/*
 * heapSpaces: the same heap by V8 space (new_space, old_space, large_object_space, …; the names are V8's). A leak of
 * small objects lifts old_space, one of big arrays and strings large_object_space.
 *
 * field                   type  unit   source
 * <space>.usedBytes       int   bytes  v8.getHeapSpaceStatistics().space_used_size
 * <space>.sizeBytes       int   bytes  space_size: reserved
 * <space>.availableBytes  int   bytes  space_available_size: free inside it
 * <space>.physicalBytes   int   bytes  physical_space_size: committed
 *
 * Cost: 1 µs a read.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import type { DiagnosticsSection } from '../../contract/diagnostics.schema.js';
import type { Measurement } from '../measurement.js';

export class HeapSpacesMeasurement implements Measurement<DiagnosticsSection<'heapSpaces'>> {
  readonly name = 'heapSpaces';

  read(): DiagnosticsSection<'heapSpaces'> {
    const spaces: DiagnosticsSection<'heapSpaces'> = {};
    for (const space of getHeapSpaceStatistics()) {
      spaces[space.space_name] = {
        usedBytes: space.space_used_size,
        sizeBytes: space.space_size,
        availableBytes: space.space_available_size,
        physicalBytes: space.physical_space_size,
      };
    }
    return spaces;
  }
}
