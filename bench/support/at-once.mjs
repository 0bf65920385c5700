/** Does `work(0)` … `work(count - 1)`, `inFlight` of them at once. @param {number} count @param {number} inFlight @param {(index: number) => Promise<unknown>} work */
export async function atOnce(count, inFlight, work) {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(inFlight, count) }, async () => {
      while (next < count) await work(next++);
    }),
  );
}
