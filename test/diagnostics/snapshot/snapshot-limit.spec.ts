import { MemoryCgroup } from '../../support/pod/memory-cgroup';
import { httpGet } from '../../support/http-get';
import { WatchedProgram } from '../standalone/support/watched-program';

jest.setTimeout(180_000);

const MIB = 1_024 ** 2;

function whyNoCgroup(): string | undefined {
  try {
    void MemoryCgroup.create('probe', 64 * MIB).remove();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const reason = whyNoCgroup();
if (reason !== undefined)
  console.warn(`SKIPPED: no memory cgroup here (${reason}), so no limit is in the way of a snapshot.`);

/** Holds about 24 MiB of small objects, which a snapshot takes most for. */
const text = `
  globalThis.held = Array.from({ length: 200_000 }, (_, index) => ({ index, text: 'item ' + index }));
  process.stdin.resume();
`;

(reason === undefined ? describe : describe.skip)('POST /diagnostics/snapshot under the limit of a real cgroup', () => {
  let program: WatchedProgram;
  let group: MemoryCgroup;

  const start = async (limitBytes: number): Promise<string> => {
    group = MemoryCgroup.create('snapshot', limitBytes);
    program = WatchedProgram.start('app.cjs', text, '--require', { MU_DIAGNOSTICS_PORT: '0' }, { cgroup: group });
    return program.base();
  };
  afterEach(async () => {
    await program.remove();
    await group.remove();
  });

  it('is refused where the kernel would kill the process for it, which goes on as before', async () => {
    const base = await start(192 * MIB);
    const before = group.read();
    const answer = await httpGet(`${base}/diagnostics/snapshot`, { method: 'POST', timeoutMs: 60_000 });
    expect(answer.status).toBe(412);
    const { details } = answer.json();
    expect(details.heapUsedBytes).toBeGreaterThan(12 * MIB);
    expect(details.requiredBytes).toBe(24 * details.heapUsedBytes + 64 * MIB);
    // What is left of the limit, by the kernel's own count of it; the process moves meanwhile.
    expect(Math.abs(details.availableBytes - (192 * MIB - before.usageBytes))).toBeLessThan(24 * MIB);
    expect(group.oomKills()).toBe(0);
    expect((await httpGet(`${base}/diagnostics`)).json().memory.limitBytes).toBe(192 * MIB);
  });

  it('is taken where there is room, and the peak stays within what was asked for', async () => {
    const base = await start(1_536 * MIB);
    const before = group.read();
    const answer = await httpGet(`${base}/diagnostics/snapshot`, { method: 'POST', timeoutMs: 150_000 });
    expect(answer.status).toBe(200);
    expect(answer.bytes.length).toBeGreaterThan(12 * MIB);
    const heapUsedBytes = (await httpGet(`${base}/diagnostics`)).json().heap.usedBytes as number;
    expect(group.read().peakBytes - before.usageBytes).toBeLessThan(24 * heapUsedBytes + 64 * MIB);
    expect(group.oomKills()).toBe(0);
  });
});
