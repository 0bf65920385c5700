import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MajorCollections } from '../../../src/ledger/heap/major-collections';
import { HeapFloor } from '../../../src/ledger/watch/heap-floor';
import { eventually } from '../../support/eventually';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' | 'major' }) => void;

/** Often enough that what is young would have gone, whatever V8 thinks of it. */
async function collectYoung(): Promise<void> {
  for (let times = 0; times < 5; times++) {
    await turn();
    collect({ type: 'minor' });
  }
  await turn();
}

it('the heap profile takes collections of the old generation for such, and none of the young one', async () => {
  collect();
  const collections = new MajorCollections();
  await collectYoung();
  expect(collections.happened()).toBe(false);
  await turn();
  collect();
  expect(collections.happened()).toBe(true);
  expect(collections.happened()).toBe(false);
});

it('the floor of the heap is taken after collections of the old generation, and after none of the young one', async () => {
  collect();
  const floor = new HeapFloor();
  floor.start();
  try {
    await collectYoung();
    expect(floor.take()).toMatchObject({ collections: 0, heapCollectedBytes: null });
    collect();
    await eventually(() => expect(floor.take().collections).toBe(1));
    await collectYoung();
    expect(floor.take().collections).toBe(1);
    collect();
    await eventually(() => expect(floor.take().collections).toBe(2));
  } finally {
    floor.stop();
  }
});
