import { eventually } from '../../support/eventually.js';

describe('eventually', () => {
  it('goes on while the function throws or returns false, and hands on its value', async () => {
    const answers = [
      () => {
        throw new Error('not yet');
      },
      () => false as const,
      () => Promise.reject(new Error('not yet either')),
      () => 'done',
    ];
    let calls = 0;
    expect(await eventually<string | false>(() => answers[calls++]!(), { intervalMs: 1 })).toBe('done');
    expect(calls).toBe(4);
  });

  it.each([undefined, null, 0, ''])('takes %p for an answer', async (value) => {
    expect(await eventually(() => value)).toBe(value);
  });

  it('gives up after the deadline with the last failure', async () => {
    const trying = eventually(() => Promise.reject(new Error('still 3')), {
      timeoutMs: 20,
      intervalMs: 1,
      what: 'four',
    });
    await expect(trying).rejects.toThrow('four: not within 20 ms: still 3');
    await expect(eventually(() => false, { timeoutMs: 5, intervalMs: 1 })).rejects.toThrow('stayed false');
  });
});
