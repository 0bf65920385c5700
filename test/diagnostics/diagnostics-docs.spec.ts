import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { diagnosticsSections, diagnosticsSummarySchema } from '../../src/contract/diagnostics.schema';
import { historySampleSchema } from '../../src/contract/recorder.schema';
import { standardMeasurements } from '../../src/diagnostics/summary/standard-measurements';
import { RecorderMeasurement } from '../../src/diagnostics/measurements/recorder.measurement';
import { SummaryPart } from '../../src/diagnostics/summary/summary.part';
import { aRecorder } from './support/a-recorder';

interface Field {
  type: string;
  unit: string;
}

const docs = readFileSync(join(__dirname, '../../docs/diagnostics.md'), 'utf8');

/** The rows of the table under a heading, by field. */
function documented(heading: string): Record<string, Field & { source: string }> {
  const chapter = docs.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))!;
  const rows = [...chapter.matchAll(/^\| `([^`]+)` \| (.+?) \| (.+?) \| (.+) \|$/gm)];
  const fields: Record<string, Field & { source: string }> = {};
  for (const [, field, type, unit, source] of rows) {
    expect([field, Object.hasOwn(fields, field!)]).toEqual([field, false]);
    fields[field!] = { type: type!, unit: unit!, source: source! };
  }
  return fields;
}

/** Unit by the last word of a field's name, as the text above the table promises. */
function unitOf(path: string): string {
  if (/((countBy\w+|Counts|^kinds)\.<name>|\.live)$/.test(path)) return 'count';
  if (/PerSecond(\.<name>)?$/.test(path)) return 'count/s';
  if (/Ms\.\w+$/.test(path)) return 'ms';
  const word = /(Bytes|Ms|Count|Ratio|Share|At)$/.exec(path.replace(/\.count$/, '.Count').replace(/^at$/, 'At'))?.[1];
  return word === undefined
    ? '–'
    : { Bytes: 'bytes', Ms: 'ms', Count: 'count', Ratio: 'ratio', Share: 'ratio', At: 'ms since epoch' }[word]!;
}

/** Every leaf of a schema, with the type as the tables name it. */
function leaves(schema: z.core.$ZodType, path: string): [string, string][] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, field]) =>
      leaves(field, path === '' ? key : `${path}.${key}`),
    );
  }
  if (schema instanceof z.ZodRecord) return leaves(schema.valueType, `${path}.<name>`);
  if (schema instanceof z.ZodArray) return leaves(schema.element, `${path}[]`);
  // A section or its error.
  if (schema instanceof z.ZodUnion) return leaves(schema.options[0]!, path);
  if (schema instanceof z.ZodNullable)
    return leaves(schema.unwrap(), path).map(([leaf, type]) => [leaf, `${type} or null`]);
  if (schema instanceof z.ZodBoolean) return [[path, 'bool']];
  if (schema instanceof z.ZodString) return [[path, 'string']];
  if (schema instanceof z.ZodNumber) return [[path, schema.format === 'safeint' ? 'int' : 'number']];
  return [[path, 'any JSON']];
}

describe('docs/diagnostics.md', () => {
  it('names every field of the answer with its type and unit, and no other', () => {
    const fromSchema = Object.fromEntries(
      leaves(diagnosticsSummarySchema, '').map(([path, type]) => [
        path,
        // A figure that may be missing in a part that may be missing.
        { type: type.replace(/( or null)+$/, ' or null'), unit: unitOf(path) },
      ]),
    );
    const fromDocs = Object.fromEntries(
      Object.entries(documented('The answer')).map(([path, { type, unit }]) => [path, { type, unit }]),
    );
    expect(Object.keys(fromSchema).length).toBeGreaterThan(60);
    expect(fromDocs).toEqual(fromSchema);
  });

  it('names every field of a sample of the recorder', () => {
    const fromSchema = Object.fromEntries(
      leaves(historySampleSchema, '').map(([path, type]) => [
        path,
        // That the whole of `site` may be missing is told once.
        { type: path.includes('.site.') ? type.replace(/ or null$/, '') : type, unit: unitOf(path) },
      ]),
    );
    const fromDocs = Object.fromEntries(
      Object.entries(documented('A sample')).map(([path, { type, unit }]) => [path, { type, unit }]),
    );
    expect(fromDocs).toEqual(fromSchema);
  });

  it('names what is really answered', async () => {
    const log = { info: () => undefined, warn: (line: string) => expect(line).toBeUndefined() };
    const part = new SummaryPart([], log, [new RecorderMeasurement(aRecorder(log))]);
    part.start();
    const answer = diagnosticsSummarySchema.parse(await part.read());
    part.stop();
    const known = new Set(Object.keys(documented('The answer')));
    for (const name of Object.keys(diagnosticsSections))
      expect([name, answer[name as 'heap']]).not.toEqual([name, { error: expect.anything() }]);
    expect(known).toContain('heapSpaces.<name>.usedBytes');
    const paths = (value: unknown, path: string): string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, item]) => paths(item, path === '' ? key : `${path}.${key}`))
        : [path];
    for (const path of paths({ ...answer, sources: 1 }, '')) {
      const general = path
        .replace(/^heapSpaces\.\w+/, 'heapSpaces.<name>')
        .replace(/countByType\.\w+$/, 'countByType.<name>')
        .replace(/^sources$/, 'sources.<name>');
      // A part that this process does not have.
      if (!known.has(general)) expect([...known].some((field) => field.startsWith(`${general}.`))).toBe(true);
    }
  });

  it('gives the unit of each field of the sources', () => {
    for (const [path, { unit }] of Object.entries(documented('Sources')))
      expect([path, unit]).toEqual([path, unitOf(path)]);
  });

  it('tells the cost of every section', () => {
    const costs = docs.split(/^## /m).find((part) => part.startsWith('Costs\n'))!;
    for (const name of [...standardMeasurements().map(({ name }) => name), 'recorder'])
      expect(costs).toMatch(new RegExp(`^\\| ${name} \\| [\\d.]+ \\|`, 'm'));
  });

  it.each([...standardMeasurements().map(({ name }) => name), 'recorder'])(
    'has the fields of %s in the header of its file, too',
    (name) => {
      const file = `src/diagnostics/measurements/${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.measurement.ts`;
      const [header] = readFileSync(join(__dirname, '../..', file), 'utf8').split('*/', 1);
      expect(header).toContain(` * ${name}: `);
      expect(header).toContain('Cost: ');
      for (const path of Object.keys(documented('The answer')).filter((field) => field.startsWith(`${name}.`))) {
        const field = path
          .slice(name.length + 1)
          .replace(/<name>/, '<NAME>')
          .replace(/^(minor|major|incremental|weakCallbacks)\./, '<NAME>.');
        const pattern = `^ \\* ${field.replace(/[.[\]]/g, '\\$&').replace('<NAME>', '<\\w+>')} +\\S+ +\\S`;
        expect(header).toMatch(new RegExp(pattern, 'm'));
      }
    },
  );
});
