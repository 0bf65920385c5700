/**
 * Runs short segments of a workload with something on and off by turns, in the order on-off-off-on or off-on-on-off, and says
 * for each four by what factor it changed the CPU time per operation: what drifts over the four falls on both sides alike.
 * Every other four is a null control, in which nothing is switched.
 * @param {{ run: (ms: number) => Promise<number> }} workload
 * @param {{ on: () => void, off: () => void, tick: () => void }} subject what is switched; left off. Asked at the end of
 *   each segment while it is on to do what it does from time to time.
 * @param {{ fours: number, segmentMs: number, settleMs?: number }} options ms; `settleMs` before each segment, not measured
 * @returns {Promise<{ subject: number[], control: number[], offMicros: number[] }>} factors; µs per operation while off
 */
export async function pairedSegments(workload, subject, { fours, segmentMs, settleMs = 15 }) {
  const segment = async (isOn) => {
    // Switched before every segment, so that what switching undoes (code compiled, caches) falls on all alike.
    subject.on();
    if (!isOn) subject.off();
    await workload.run(settleMs);
    const before = process.cpuUsage();
    const count = await workload.run(segmentMs);
    if (isOn) subject.tick();
    const { user, system } = process.cpuUsage(before);
    if (isOn) subject.off();
    return (user + system) / count;
  };
  const factors = { subject: [], control: [], offMicros: [] };
  for (let index = 0; index < 2 * fours; index++) {
    const isControl = index % 2 === 1;
    const startsOn = Math.random() < 0.5;
    const sums = { on: 0, off: 0 };
    for (const isOn of startsOn ? [true, false, false, true] : [false, true, true, false]) {
      sums[isOn ? 'on' : 'off'] += await segment(isOn && !isControl);
    }
    (isControl ? factors.control : factors.subject).push(sums.on / sums.off);
    factors.offMicros.push(sums.off / 2);
  }
  return factors;
}
