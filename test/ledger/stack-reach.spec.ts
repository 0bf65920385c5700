import { StackReach } from '../../src/ledger/capture/stack-capture.js';

it('takes at first what the stacks of a kind needed, and forgets a deep one by and by', () => {
  const reach = new StackReach();
  const least = reach.depth;
  reach.needed(3);
  expect(reach.depth).toBe(least);
  reach.needed(least + 8);
  expect(reach.depth).toBe(least + 8);
  reach.needed(least + 2);
  expect(reach.depth).toBe(least + 7);
  for (let count = 0; count < 5; count++) reach.needed(least + 2);
  expect(reach.depth).toBe(least + 2);
  for (let count = 0; count < 5; count++) reach.needed(1);
  expect(reach.depth).toBe(least);
});
