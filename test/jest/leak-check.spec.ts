import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { RedisServer } from '../support/redis-server.js';
import { blamedBy, plantedIn, runJest } from './run-jest.js';

const TIMEOUT_MS = 150_000;

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

const inFixture = (fixture: string) => runJest(fixture, { REDIS_URL: redis.url });

describe('the setup file', () => {
  it(
    'fails a file that leaves a client, a timer, a socket, a server and listeners, with the line of each in the source',
    async () => {
      const { code, success, message, tests } = await inFixture('leaks');
      expect(blamedBy(message)).toEqual(plantedIn('leaks'));
      expect(plantedIn('leaks')).toHaveLength(7);
      // The tests themselves had no fault.
      expect(tests.map(({ status }) => status)).toEqual(['passed', 'passed', 'passed', 'passed']);
      expect({ code, success }).toEqual({ code: 1, success: false });
    },
    TIMEOUT_MS,
  );

  it(
    'passes a Nest app that closes what it opened, over kept connections, fetch and faked time',
    async () => {
      expect(await inFixture('clean-app')).toMatchObject({ code: 0, success: true, message: '' });
    },
    TIMEOUT_MS,
  );

  it(
    'names the line in the provider of a Nest app that leaves a client behind app.close(), once, with its socket',
    async () => {
      const { message, success } = await inFixture('leaking-app');
      expect(blamedBy(message)).toEqual(plantedIn('leaking-app'));
      expect(message).toContain('in Crawler.fetch');
      expect(success).toBe(false);
    },
    TIMEOUT_MS,
  );
});

it(
  'checkLeaks per test fails the test that leaks, and no other',
  async () => {
    const { tests, message } = await inFixture('each-test');
    expect(tests.map(({ status }) => status)).toEqual(['passed', 'failed', 'passed']);
    expect(blamedBy(tests[1].failureMessages.join('\n'))).toEqual(plantedIn('each-test'));
    // Closed by afterAll: the file as a whole has no fault.
    expect(message).not.toContain('this file');
  },
  TIMEOUT_MS,
);

it(
  'expectNoLeaks finds what a test opened, waits briefly, and lets pass what is allowed',
  async () => {
    expect(await inFixture('by-hand')).toMatchObject({ success: true, message: '' });
  },
  TIMEOUT_MS,
);

it('says so when it is used outside of jest', () => {
  const entry = join(__dirname, '../../dist/jest/index.js');
  const program = `try { require(${JSON.stringify(entry)}) } catch ({ code }) { console.log(code) }`;
  expect(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })).toBe('NO_JEST\n');
});
