import { join } from 'node:path';
import { verdictsSchema } from '../../../src/contract/verdict.schema';
import { eventually } from '../../support/eventually';
import { httpGet } from '../../support/http-get';
import { WatchedProgram } from './support/watched-program';

jest.setTimeout(120_000);

/** Takes every descriptor as soon as a leak is found, before it is told, and gives them back after two looks of the detector. */
const exhausting = `
  const { closeSync, openSync, promises } = require('node:fs');
  const { expectAtMost, leakFindings } = require(${JSON.stringify(join(process.cwd(), 'dist/ledger/index.js'))});
  expectAtMost({ kind: 'fs.FileHandle', atMost: 2 });
  process.stdin.resume().on('end', () => process.exit());
  const kept = [];
  const taken = [];
  const exhaust = () => {
    try {
      for (;;) taken.push(openSync('/dev/null'));
    } catch (error) {
      console.log('all taken:', error.code);
    }
  };
  (async () => {
    for (let count = 0; count < 5; count++) kept.push(await promises.open('/dev/null'));
    const waiting = setInterval(() => {
      if (!leakFindings().findings.some(({ state }) => state === 'leaking')) return;
      clearInterval(waiting);
      exhaust();
      setTimeout(() => {
        taken.splice(0).forEach((fd) => closeSync(fd));
        console.log('given back');
      }, 11_000);
    }, 3);
  })();
`;

describe('a program without a free descriptor', () => {
  let program: WatchedProgram;
  afterEach(() => program.remove());

  it('is not ended by its diagnostics, which tell the leak', async () => {
    const env = { MU_DIAGNOSTICS_PORT: '0' };
    program = WatchedProgram.start('app.cjs', exhausting, '--require', env, { maxOpenFiles: 256 });
    const base = await program.base();
    await eventually(() => program.written.includes('given back') || program.child.exitCode !== null, {
      timeoutMs: 60_000,
    });
    expect(program.child.exitCode).toBeNull();
    expect(program.written).toContain('all taken: EMFILE');
    const answer = verdictsSchema.parse((await httpGet(`${base}/diagnostics/verdicts`)).json());
    expect(answer.verdicts).toContainEqual(expect.objectContaining({ kind: 'fs.FileHandle', state: 'leaking' }));
    await eventually(() => expect(program.written).toContain('leaking: '));
    expect(await program.letEnd()).toBe(0);
  });
});
