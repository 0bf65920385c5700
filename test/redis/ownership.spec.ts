import { join } from 'node:path';
import { importGraph, readSources } from '../architecture/import-graph.js';

const graph = importGraph(readSources(join(__dirname, '../../src')));

const importersOf = (file: string) =>
  [...graph].filter(([, imported]) => imported.includes(file)).map(([importer]) => importer);

describe('The raw Redis client', () => {
  it('is handed to the engine only', () => {
    const importers = importersOf('redis/engine-connection.ts');
    expect(importers).toContain('runs/engine.ts');
    expect(importers.filter((file) => !/^(redis|runs)\//.test(file))).toEqual([]);
  });

  it.each(['redis/redis-guard.ts', 'redis/redis-disposal.ts', 'redis/redis-options.ts', 'redis/redis-log.ts'])(
    '%s is used inside src/redis only',
    (file) => {
      const importers = importersOf(file);
      expect(importers).not.toEqual([]);
      expect(importers.filter((importer) => !importer.startsWith('redis/'))).toEqual([]);
    },
  );

  it('is made in one file, which alone names the library', () => {
    const sources = readSources(join(__dirname, '../../src'));
    const naming = [...sources].filter(([, text]) => /from '@liaoliaots\//.test(text)).map(([file]) => file);
    expect(naming).toEqual(['redis/redis.module.ts']);
  });
});
