import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { readSources } from './import-graph.js';

const checkout = join(__dirname, '../..');

interface Snippet {
  /** The file it claims to be; rules differ by folder, and rules with types want a file that exists. */
  as: string;
  code: string;
}

/** Rules that each snippet breaks. ESLint loads an ESM config, which jest cannot: so all of them go to one process. */
function brokenRules(snippets: Snippet[]): string[][] {
  const program = `
    const { ESLint } = require('eslint');
    const snippets = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
    (async () => {
      const eslint = new ESLint({ cwd: process.cwd() });
      const results = [];
      for (const { as, code } of snippets) {
        const [{ messages }] = await eslint.lintText(code, { filePath: as });
        results.push(messages.map(({ ruleId, message }) => ruleId ?? message));
      }
      console.log(JSON.stringify(results));
    })();`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', program], {
    cwd: checkout,
    input: JSON.stringify(snippets),
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const feature = 'src/app.module.ts';
const redisFolder = 'src/redis/redis-options.ts';
const redisModule = 'src/redis/redis.module.ts';
const test = 'test/architecture/lint.spec.ts';

const IMPORTS = 'no-restricted-imports';
const SYNTAX = 'no-restricted-syntax';
const FLOATING = '@typescript-eslint/no-floating-promises';

/** Code, where it stands, and the rule it breaks there (null: none). */
const cases: [code: string, as: string, rule: string | null][] = [
  [`import { Redis } from 'ioredis';\nexport const a = Redis;`, feature, IMPORTS],
  [`import type { Redis } from 'ioredis';\nexport type A = Redis;`, feature, IMPORTS],
  [`export { Redis } from 'ioredis';`, feature, IMPORTS],
  [`import Redis from 'ioredis/built/Redis';\nexport const a = Redis;`, feature, IMPORTS],
  [`import { type Redis } from 'ioredis';\nexport type A = Redis;`, redisFolder, null],
  [`import { type Redis } from 'ioredis';\nexport type A = Redis;`, redisModule, null],
  [`import { type Redis } from 'ioredis';\nexport type A = Redis;`, test, null],
  [`import { type Redis } from 'ioredis';\nexport type A = Redis;`, 'examples/hot-list/api/main.ts', IMPORTS],
  [`import { type RedisClient } from './redis/redis-client.js';\nexport type A = RedisClient;`, feature, null],

  [`import { RedisModule } from '@liaoliaots/nestjs-redis';\nexport const a = RedisModule;`, feature, IMPORTS],
  [`import { RedisModule } from '@liaoliaots/nestjs-redis';\nexport const a = RedisModule;`, redisFolder, IMPORTS],
  [`import { RedisModule } from '@liaoliaots/nestjs-redis';\nexport const a = RedisModule;`, test, IMPORTS],
  [`import { RedisModule } from '@liaoliaots/nestjs-redis';\nexport const a = RedisModule;`, redisModule, null],

  [`declare class Redis {}\nexport const a = new Redis();`, feature, SYNTAX],
  [`declare class Cluster {}\nexport const a = new Cluster();`, feature, SYNTAX],
  [`declare const lib: { Redis: new () => object };\nexport const a = new lib.Redis();`, feature, SYNTAX],
  [`declare const client: { duplicate(): object };\nexport const a = client.duplicate();`, feature, SYNTAX],
  [`export const a = (): Promise<unknown> => import('ioredis');`, feature, SYNTAX],
  [`declare class Redis {}\nexport const a = new Redis();`, redisFolder, null],
  [`declare class Redis {}\nexport const a = new Redis();`, test, null],
  [`declare class RedisGate {}\nexport const a = new RedisGate();`, feature, null],

  [`export function a(): void {\n  Promise.resolve();\n}`, feature, FLOATING],
  [`export function a(): void {\n  void Promise.resolve();\n}`, feature, null],
  [`export async function a(): Promise<void> {\n  await Promise.resolve();\n}`, feature, null],

  [`export const a = (b: any): string => b.c;`, feature, '@typescript-eslint/no-explicit-any'],
  [`console.log('x');`, feature, 'no-console'],
];

describe('the lint rules', () => {
  let broken: string[][];
  beforeAll(() => {
    broken = brokenRules(cases.map(([code, as]) => ({ code, as })));
  }, 120_000);

  it.each(cases.map(([code, as, rule], index) => [as, rule ?? 'nothing', code, index] as const))(
    'find in %s: %s, in %s',
    (_as, rule, _code, index) => {
      expect(broken[index]).toEqual(rule === 'nothing' ? [] : [rule]);
    },
  );
});

it('the Redis module of others is named in exactly one file, so that it can be replaced there', () => {
  const naming = [...readSources(join(checkout, 'src'))].filter(([, text]) => text.includes('@liaoliaots/'));
  expect(naming.map(([file]) => file)).toEqual(['redis/redis.module.ts']);
});
