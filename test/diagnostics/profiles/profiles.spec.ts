import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'cheerio';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { WatchedProgram } from '../standalone/support/watched-program';
import { decodedProfile, type DecodedProfile, type DecodedSample } from './support/decoded-profile';
import { goPprof, hasGo } from './support/go-pprof';
import { LEAKING_PROGRAM, LINES } from './support/leaking-program';

jest.setTimeout(90_000);

describe('profiles', () => {
  let program: WatchedProgram;
  let base: string;
  const files = mkdtempSync(join(tmpdir(), 'profiles-'));

  beforeAll(async () => {
    program = WatchedProgram.start('app.cjs', LEAKING_PROGRAM, '--require', { MU_DIAGNOSTICS_PORT: '0' });
    base = await program.base();
  });
  afterAll(async () => {
    await program.remove();
    rmSync(files, { recursive: true });
  });

  const get = async (path: string) => {
    const answer = await httpGet(`${base}${path}`, { timeoutMs: 60_000 });
    expect([path, answer.status, answer.status === 200 ? '' : answer.text]).toEqual([path, 200, '']);
    return answer;
  };
  const profile = async (path: string): Promise<DecodedProfile> => decodedProfile((await get(path)).bytes);
  /** Keeps it for the real tool. */
  const saved = async (path: string, name: string): Promise<string> => {
    writeFileSync(join(files, name), (await get(path)).bytes);
    return join(files, name);
  };
  const named = ({ samples }: DecodedProfile, name: string): DecodedSample[] =>
    samples.filter(({ stack }) => stack[0]?.name === name);
  const intervals = ({ samples }: DecodedProfile): DecodedSample | undefined =>
    samples.find(({ stack }) => stack[0]?.line === LINES.interval);

  describe('handles', () => {
    it('have one sample per group: stack, counts, kind', async () => {
      const read = await eventually(async () => {
        const found = await profile('/diagnostics/profiles/handles');
        expect(intervals(found)).toBeDefined();
        return found;
      });
      expect(read).toMatchObject({
        sampleTypes: ['live/count', 'created/count', 'closed/count', 'collected_open/count', 'live_bytes/bytes'],
        defaultType: 'live',
        period: '',
        durationMs: 0,
      });
      expect(Math.abs(read.timeMs - Date.now())).toBeLessThan(60_000);
      expect(intervals(read)).toMatchObject({
        values: { live: 20, created: 20, closed: 0, collected_open: 0, live_bytes: 0 },
        labels: { kind: 'interval' },
      });
      expect(intervals(read)!.stack[0]).toEqual({ name: 'openIntervals', file: 'app.cjs', line: LINES.interval });
    });

    it('tell with seconds what changed, and only that', async () => {
      const asked = profile('/diagnostics/profiles/handles?seconds=2');
      await eventually(async () => {
        const { status } = await httpGet(`${base}/diagnostics/profiles/handles?seconds=1`);
        expect(status).toBe(429);
      });
      program.child.stdin!.write('more\n');
      const delta = await asked;
      expect(delta.durationMs).toBeGreaterThanOrEqual(1_900);
      // Reached in another way than the first, so it is a group of its own.
      expect(delta.samples.map(({ labels: { kind }, values }) => [kind, values['live']])).toContainEqual([
        'interval',
        5,
      ]);
      expect(delta.samples.some(({ values }) => values['live'] === 20)).toBe(false);
    });

    it('are the same behind Go’s names, as text with debug', async () => {
      for (const name of ['handles', 'goroutine']) {
        expect(intervals(await profile(`/debug/pprof/${name}`))!.values['live']).toBe(20);
        const { text, headers } = await get(`/debug/pprof/${name}?debug=1`);
        expect(headers['content-type']).toBe('text/plain; charset=utf-8');
        expect(text).toMatch(/^handles profile: total \d+ count \(live\)\n/);
        expect(text).toContain(
          `20 @ live=20 created=20 closed=0 collected_open=0 live_bytes=0 bytes\n# labels: kind:interval`,
        );
        expect(text).toContain(`#\topenIntervals\tapp.cjs:${LINES.interval}\n`);
      }
    });
  });

  describe('heap', () => {
    it('says that the sampling begins, and then has bytes by function', async () => {
      const first = await profile('/diagnostics/profiles/heap');
      expect(first).toMatchObject({
        sampleTypes: ['inuse_objects/count', 'inuse_space/bytes'],
        defaultType: 'inuse_space',
        period: '524288 space/bytes',
        comments: [expect.stringContaining('began with this request')],
      });
      const kept = await eventually(
        async () => {
          const read = await profile('/debug/pprof/heap');
          expect(read.comments).toEqual([]);
          expect(named(read, 'keepObjects')).not.toEqual([]);
          return named(read, 'keepObjects')[0]!;
        },
        { timeoutMs: 60_000, intervalMs: 300 },
      );
      expect(kept.stack.map(({ name, file }) => [name, file])).toEqual([
        ['keepObjects', 'app.cjs'],
        ['workOnce', 'app.cjs'],
      ]);
      expect(kept.stack[0]!.line).toBe(LINES.keepObjects);
      expect(kept.values['inuse_space']! / kept.values['inuse_objects']!).toBeGreaterThan(16);
    });

    it('tells with seconds what has become more', async () => {
      // Some ten samples in three seconds: by chance there may be none.
      const grown = await eventually(
        async () => {
          const delta = await profile('/debug/pprof/heap?seconds=3&gc=1');
          const bytes = named(delta, 'keepObjects').reduce((sum, { values }) => sum + values['inuse_space']!, 0);
          return bytes > 0 && bytes;
        },
        { timeoutMs: 60_000 },
      );
      const all = named(await profile('/debug/pprof/allocs'), 'keepObjects').reduce(
        (sum, { values }) => sum + values['inuse_space']!,
        0,
      );
      expect(grown).toBeLessThan(all);
    });
  });

  describe('cpu', () => {
    it('has the time of the processor by function', async () => {
      const read = await profile('/diagnostics/profiles/cpu?seconds=2');
      expect(read).toMatchObject({ sampleTypes: ['samples/count', 'cpu/nanoseconds'], defaultType: 'cpu' });
      expect(read.period).toBe('10000000 cpu/nanoseconds');
      expect(read.durationMs).toBeGreaterThanOrEqual(2_000);
      const burnt = read.samples.filter(({ stack }) => stack.some(({ name }) => name === 'burnTime'));
      const total = (samples: DecodedSample[]) => samples.reduce((sum, { values }) => sum + values['cpu']!, 0);
      expect(total(burnt)).toBeGreaterThan(total(read.samples) / 3);
      const frame = burnt[0]!.stack.find(({ name }) => name === 'burnTime');
      expect(frame).toEqual({ name: 'burnTime', file: 'app.cjs', line: LINES.burnTime });
      expect(read.samples.some(({ stack }) => stack[0]?.name === '(idle)')).toBe(false);
    });

    it('is taken by one at a time, and given up when whoever asked has gone', async () => {
      const path = '/debug/pprof/profile?seconds=60';
      const gone = httpGet(`${base}${path}`, { timeoutMs: 1_500 });
      await expect(gone).rejects.toThrow('no answer');
      await eventually(async () => {
        expect((await httpGet(`${base}/debug/pprof/profile?seconds=1`)).status).toBe(200);
      });
      const first = get('/debug/pprof/profile?seconds=3');
      const second = await eventually(async () => {
        const answer = await httpGet(`${base}/diagnostics/profiles/cpu?seconds=1`);
        expect(answer.status).toBe(429);
        return answer;
      });
      expect(Number(second.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      await first;
    });
  });

  describe('the index at /debug/pprof/', () => {
    it('shows what is alive and leads to every profile, without script or style', async () => {
      const moved = await httpGet(`${base}/debug/pprof`);
      expect([moved.status, moved.headers.location]).toEqual([301, 'pprof/']);
      const { text, headers } = await get('/debug/pprof/');
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      const page = load(text);
      expect(page('script, style, img, [style], [onclick]')).toHaveLength(0);
      const rows = page('tr')
        .toArray()
        .map((row) => [page(row).find('td').first().text(), page(row).find('a').text()]);
      expect(rows).toContainEqual([expect.stringMatching(/^\d+$/), 'interval']);
      expect(rows).toContainEqual([expect.stringMatching(/^[1-9]\d*$/), 'goroutine']);
      for (const link of page('a').toArray()) {
        const href = page(link).attr('href')!;
        if (href === 'profile') continue;
        const { pathname, search } = new URL(href, `${base}/debug/pprof/`);
        await get(`${pathname}${search}`);
      }
    });

    it('tells the program, not its arguments', async () => {
      expect((await get('/debug/pprof/cmdline')).text).toBe('node\0app.cjs');
    });

    it.each(['?seconds=x', '?seconds=-1', '?debug=3', '?gc=yes', '?other=1'])('refuses heap%s', async (query) => {
      expect((await httpGet(`${base}/debug/pprof/heap${query}`)).status).toBe(400);
    });
  });

  (hasGo ? describe : describe.skip)('go tool pprof', () => {
    it('reads each of them from its URL, unchanged', async () => {
      const handles = await goPprof(files, '-top', `${base}/debug/pprof/goroutine`);
      expect(handles).toMatch(/Type: live/);
      expect(handles).toMatch(/\b\d+ +\d+(\.\d+)?% .* openIntervals/);
      const heap = await goPprof(files, '-top', '-sample_index=inuse_objects', `${base}/debug/pprof/heap`);
      expect(heap).toMatch(/Type: inuse_objects[^]* keepObjects/);
      const cpu = await goPprof(files, '-top', '-seconds=2', `${base}/debug/pprof/profile`);
      expect(cpu).toMatch(/Type: cpu\n[^]*Duration: 2[^]* burnTime/);
      const lines = await goPprof(files, '-top', '-lines', `${base}/debug/pprof/handles`);
      expect(lines).toContain(`openIntervals app.cjs:${LINES.interval}`);
    });

    it('subtracts a diff base, for each count by itself, and filters by kind', async () => {
      const before = await saved('/diagnostics/profiles/handles', 'before.pb.gz');
      const live = async () => (await get('/diagnostics/groups?kind=interval')).json();
      const count = async () =>
        (await live()).groups.reduce((sum: number, group: { live: number }) => sum + group.live, 0) as number;
      const was = await count();
      program.child.stdin!.write('more\n');
      await eventually(async () => expect(await count()).toBe(was + 5));
      const after = await saved('/diagnostics/profiles/handles', 'after.pb.gz');
      for (const index of ['live', 'created']) {
        const args = [`-sample_index=${index}`, `-diff_base=${before}`, '-tagfocus=kind=interval', after];
        expect(await goPprof(files, '-top', ...args)).toMatch(/^ +5 .* openIntervals$/m);
      }
      const closed = await goPprof(files, '-top', '-sample_index=closed', '-tagfocus=kind=interval', after);
      expect(closed).not.toContain('openIntervals');
    });

    it('prints every sample with its labels', async () => {
      const raw = await goPprof(files, '-raw', await saved('/debug/pprof/handles', 'raw.pb.gz'));
      expect(raw).toContain('live/count[dflt] created/count closed/count collected_open/count live_bytes/bytes');
      expect(raw).toMatch(/kind:\[interval\]/);
      expect(raw).toMatch(new RegExp(`openIntervals app\\.cjs:${LINES.interval}`));
    });
  });
});
