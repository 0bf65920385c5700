import { PprofBuilder } from '../../../src/diagnostics/profiles/pprof-builder';
import type { PprofFrame } from '../../../src/diagnostics/profiles/pprof-frame';
import { decodedProfile } from './support/decoded-profile';

/** One sample per place, of two frames each; the outer ones are shared, some have no name, and some texts are no ASCII. */
function placed(count: number) {
  const outer: PprofFrame = { function: 'λ', file: 'src/main.ts', line: 1 };
  return Array.from({ length: count }, (_, at) => {
    const inner: PprofFrame = {
      function: at % 3 === 0 ? null : `f${at % 50}`,
      file: `src/f${at % 7}.ts`,
      line: 1 + at,
    };
    return {
      stack: [inner, outer],
      values: [at, 1 - at],
      labels: ['kind', at % 2 === 0 ? 'socket' : 'größe', 'group', `g${at}`],
    };
  });
}

// Below and above what is compressed on the spot, and in one piece and many.
it.each([0, 1, 20, 400, 9_000])('a profile of %i samples is read as it was written', async (count) => {
  const samples = placed(count);
  const builder = new PprofBuilder({
    sampleTypes: [
      ['live', 'count'],
      ['change', 'count'],
    ],
    defaultType: 'live',
    takenAt: 1_700_000_000_000,
    comments: ['a comment'],
  });
  for (const { stack, values, labels } of samples) builder.add(stack, values, labels);
  const read = decodedProfile(await builder.encode());
  expect(read.comments).toEqual(['a comment']);
  expect(read.samples).toEqual(
    samples.map(({ stack, values: [live, change], labels: [kindKey, kind, groupKey, group] }) => ({
      stack: stack.map(({ function: name, file, line }) => ({
        name: name ?? `(anonymous ${file}:${line})`,
        file,
        line,
      })),
      values: { live, change },
      labels: { [kindKey!]: kind, [groupKey!]: group },
    })),
  );
});
