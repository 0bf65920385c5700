import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { distDir } from '../lifecycle/child-program.js';

/** What a process writes that logs with the service's logger, line by line. */
function logged(script: string): Record<string, unknown>[] {
  const { stdout } = spawnSync(process.execPath, [
    '-e',
    `const { PinoLogger } = require(${JSON.stringify(join(distDir, 'logging/pino-logger.js'))});
     const logger = new PinoLogger('info');
     ${script}`,
  ]);
  return String(stdout)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('PinoLogger', () => {
  it('writes type, message, stack and code of an error, and none of its other properties', () => {
    const [line] = logged(`
      try { new URL('redis://:Zm9v/s3cret@host'); } catch (error) { logger.error(error, 'Redis'); }
    `);
    expect(line).toMatchObject({
      context: 'Redis',
      msg: 'Invalid URL',
      err: { type: 'TypeError', code: 'ERR_INVALID_URL' },
    });
    expect(Object.keys(line?.err as object).sort()).toEqual(['code', 'message', 'stack', 'type']);
    expect(JSON.stringify(line)).not.toContain('s3cret');
  });

  it('tells why an error came about', () => {
    const [line] = logged(`logger.error(new Error('outer', { cause: new Error('inner') }), 'Engine');`);
    expect(line).toMatchObject({ msg: 'outer', err: { message: 'outer: inner' } });
    expect((line?.err as { stack: string }).stack).toMatch(/Error: outer[^]*caused by: Error: inner/);
  });
});
