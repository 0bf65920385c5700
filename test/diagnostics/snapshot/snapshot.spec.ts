import { snapshotPreflight } from '../../../src/diagnostics/snapshot/snapshot-preflight';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { WatchedProgram } from '../standalone/support/watched-program';

jest.setTimeout(90_000);

const MIB = 1_024 ** 2;

describe('the figures before a snapshot', () => {
  it('ask for 24 times the heap and a reserve', () => {
    const heapUsedBytes = 20 * MIB;
    const needed = 24 * heapUsedBytes + 64 * MIB;
    expect(snapshotPreflight({ heapUsedBytes, availableBytes: needed + 1 })).toEqual({
      possible: true,
      heapUsedBytes,
      requiredBytes: needed,
      availableBytes: needed + 1,
      standstillMs: 1_800,
    });
    expect(snapshotPreflight({ heapUsedBytes, availableBytes: needed }).possible).toBe(false);
  });
});

describe('POST /diagnostics/snapshot', () => {
  // Its memory runs short, as far as it can tell, from the first line on its standard input on.
  const text = `
    class PlantedInTheHeap {}
    globalThis.planted = Array.from({ length: 321 }, () => new PlantedInTheHeap());
    process.stdin.on('data', () => { process.availableMemory = () => 100 * ${MIB}; }).resume();
  `;
  let program: WatchedProgram;
  let base: string;
  beforeAll(async () => {
    program = WatchedProgram.start('app.cjs', text, '--require', { MU_DIAGNOSTICS_PORT: '0' });
    base = await program.base();
  });
  afterAll(() => program.remove());

  const post = () => httpGet(`${base}/diagnostics/snapshot`, { method: 'POST', timeoutMs: 60_000 });

  it('is the heap, as Chrome reads it', async () => {
    const answer = await post();
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/octet-stream']);
    expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="\d+-[\dT-]+Z\.heapsnapshot"$/);
    const { snapshot, nodes, strings } = answer.json<{
      snapshot: { meta: { node_fields: string[] }; node_count: number };
      nodes: number[];
      strings: string[];
    }>();
    const fields = snapshot.meta.node_fields;
    expect(nodes.length).toBe(snapshot.node_count * fields.length);
    const name = strings.indexOf('PlantedInTheHeap');
    let planted = 0;
    for (let at = fields.indexOf('name'); at < nodes.length; at += fields.length) if (nodes[at] === name) planted++;
    expect(planted).toBeGreaterThanOrEqual(321);
  });

  it('is not to be had by GET', async () => {
    const answer = await httpGet(`${base}/diagnostics/snapshot`);
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
  });

  it('is refused with the figures when there is no room for it, and nothing is taken', async () => {
    program.child.stdin!.write('short\n');
    const answer = await eventually(async () => {
      const refused = await post();
      expect(refused.status).toBe(412);
      return refused;
    });
    const { code, message, retryable, details } = answer.json();
    expect({ code, retryable }).toEqual({ code: 'PRECONDITION_FAILED', retryable: false });
    expect(message).toMatch(/^a snapshot of a heap of [\d.]+ MiB may take [\d.]+ MiB and 100\.0 MiB are left; /);
    expect(details).toMatchObject({ possible: false, availableBytes: 100 * MIB });
    expect(details.requiredBytes).toBe(24 * details.heapUsedBytes + 64 * MIB);
  });
});
