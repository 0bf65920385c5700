import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { Family, Planted } from './planted.js';

export type ModuleFormat = 'commonjs' | 'esm' | 'typescript';

export interface Fixture {
  /** What Node runs. */
  readonly main: string;
  /** As the ledger must name it: relative to the project's root. */
  readonly file: string;
  /** 1-based line of each plant, by its id. */
  readonly lines: ReadonlyMap<string, number>;
}

const HELPERS = `
const { MUTE, UNIX, FILE, DIRECTORY, REDIS, CLUSTER, PROTO } = JSON.parse(process.env.PLACES);
const PG = { host: '127.0.0.1', port: MUTE, user: 'u', password: 'p', database: 'd' };
const extra = [];
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quiet = (emitter) => emitter.on('error', () => {});
const until = async (holds) => { while (!holds()) await later(10); };
const closed = (server) => new Promise((resolve) => server.close(resolve));
const ended = async (client) => { client.disconnect(); await until(() => client.status === 'end'); };
const spaced = async (make) => { const made = make(); await new Promise(setImmediate); return made; };
const aborting = (start) => { const controller = new AbortController(); start(controller.signal).catch(() => {}); return controller; };
const unawaited = (promise) => promise.catch(() => {});
const connecting = (client, connect) => { client.on('error', () => {}); connect(client).catch(() => {}); return client; };
const listening = (add, signal) => { const listener = () => {}; add(listener); return { listener, signal }; };
`;

const RUNNER = `
const ledger = () => globalThis[Symbol.for('mu-commander.ledger')];
const report = async () => (await ledger().report()).groups;
async function run() {
  for (const [id, plant, end] of plants) {
    try {
      let step = 'plant';
      const giveUp = new Promise((_, reject) => { setTimeout(() => reject(new Error('hangs in ' + step)), 30_000).unref(); });
      const before = new Map((await report()).map((group) => [group.id, group.live]));
      const all = await Promise.race([plant(), giveUp]);
      step = 'end';
      const open = await report();
      for (const stop of extra.splice(0).reverse()) stop();
      for (const kept of all) await Promise.race([end(kept), giveUp]);
      let after = [];
      for (let tries = 0; tries < 100; tries++) {
        after = await report();
        if (after.every((group) => /buffer$/.test(group.kind) || group.live <= (before.get(group.id) ?? 0))) break;
        await later(50);
      }
      process.send({ id, open, after });
    } catch (error) {
      process.send({ id, failure: String(error && error.stack) });
    }
  }
  process.send({ status: ledger().status() }, () => process.exit(0));
}
run();
`;

/** Writes the plants of a family as a program of its own in `directory`, a project that sees our node_modules. */
export function writeFixture(directory: string, family: Family, format: ModuleFormat): Fixture {
  mkdirSync(join(directory, 'src'), { recursive: true });
  mkdirSync(join(directory, 'dist'), { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{"name":"fixture","private":true}');
  symlinkSync(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'));
  const source = [
    // What a compiler drops, so that no line of the output is where it was in the source.
    ...(format === 'typescript'
      ? ['interface Dropped {', '  a: string;', '  b: number;', '}', 'type Gone = Dropped | null;', '']
      : []),
    ...family.imports.map(([binding, specifier]) => importLine(binding, specifier, format)),
    HELPERS,
    ...family.plants.map((plant, index) => plantFunction(plant, index, format)),
    'const plants = [',
    ...family.plants.map(({ id, end }, index) => `  [${JSON.stringify(id)}, plant${index}, async (kept) => ${end}],`),
    '];',
    RUNNER,
  ].join('\n');
  const lines = new Map(family.plants.map(({ id }) => [id, lineOf(source, `// plant:${id}`)]));

  if (format !== 'typescript') {
    const file = `src/${family.name}.${format === 'esm' ? 'mjs' : 'cjs'}`;
    writeFileSync(join(directory, file), source);
    return { main: join(directory, file), file, lines };
  }
  const file = `src/${family.name}.ts`;
  const main = join(directory, 'dist', `${family.name}.js`);
  const { outputText, sourceMapText } = ts.transpileModule(source, {
    fileName: `../${file}`,
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
      sourceMap: true,
      removeComments: true,
    },
  });
  writeFileSync(join(directory, file), source);
  writeFileSync(main, outputText);
  const map = JSON.parse(sourceMapText ?? '{}') as { sources: string[] };
  writeFileSync(`${main}.map`, JSON.stringify({ ...map, sources: [`../${file}`] }));
  return { main, file, lines };
}

function importLine(binding: string, specifier: string, format: ModuleFormat): string {
  if (format === 'commonjs') {
    return `const ${binding.replace(/ as /g, ': ')} = require('${specifier}');`;
  }
  return `import ${binding} from '${specifier}';`;
}

function plantFunction(plant: Planted, index: number, format: ModuleFormat): string {
  const type = format === 'typescript' ? ': any[]' : '';
  return `
async function plant${index}() {
  ${plant.before ?? ''}
  const all${type} = [];
  let last;
  for (let i = 0; i < ${plant.count}; i++) {
    all.push((last = ${plant.make})); // plant:${plant.id}
  }
  ${plant.after ?? ''}
  return all;
}`;
}

function lineOf(source: string, mark: string): number {
  const at = source.indexOf(`${mark}\n`);
  return source.slice(0, at).split('\n').length;
}
