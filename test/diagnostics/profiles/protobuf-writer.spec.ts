import {
  assert,
  bigInt,
  type Arbitrary,
  array,
  integer,
  maxSafeInteger,
  property,
  record,
  string,
  tuple,
} from 'fast-check';
import { parse } from 'protobufjs';
import { ProtobufWriter } from '../../../src/diagnostics/profiles/protobuf-writer';

/** Read by another implementation than wrote it. */
const treeType = parse(`
  syntax = "proto3";
  message Tree { int64 one = 1; repeated int64 many = 2; repeated string texts = 3; repeated Tree within = 14; uint64 large = 15; }
`).root.lookupType('Tree');

interface Tree {
  one: number;
  many: number[];
  texts: string[];
  within: Tree[];
  large: bigint;
}

function write(out: ProtobufWriter, { one, many, texts, within, large }: Tree): void {
  out.number(1, one);
  out.numbers(2, many);
  out.texts(3, texts);
  for (const inner of within) {
    const start = out.begin(14);
    write(out, inner);
    out.end(start);
  }
  out.number(15, large);
}

function written(tree: Tree): Buffer {
  const out = new ProtobufWriter();
  write(out, tree);
  return out.written;
}

/** With what proto3 leaves out, and 64 bits as text. */
const asRead = ({ one, many, texts, within, large }: Tree): object => ({
  one: String(one),
  many: many.map(String),
  texts,
  within: within.map(asRead),
  large: String(large),
});

const read = (bytes: Buffer): object =>
  treeType.toObject(treeType.decode(bytes), { longs: String, defaults: true, arrays: true });

const treeOf = (within: Arbitrary<Tree[]>): Arbitrary<Tree> =>
  record({
    one: maxSafeInteger(),
    many: array(maxSafeInteger(), { maxLength: 40 }),
    texts: array(string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 5 }),
    within,
    large: bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  });
const leaf = treeOf(array(record({}) as unknown as Arbitrary<Tree>, { maxLength: 0 }));

describe('what ProtobufWriter writes', () => {
  it('is read by another implementation as it was meant, however deep and long', () => {
    const tree = treeOf(array(treeOf(array(leaf, { maxLength: 3 })), { maxLength: 3 }));
    assert(property(tree, (each) => expect(read(written(each))).toEqual(asRead(each))));
  });

  it.each([0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 49, Number.MAX_SAFE_INTEGER, -1, -(2 ** 40)])(
    'has %d as it is, alone and in a list',
    (value) => {
      const tree: Tree = { one: value, many: [value, 0, value], texts: [], within: [], large: 0n };
      expect(read(written(tree))).toEqual(asRead(tree));
    },
  );

  it('is the same for a message of numbers alone, written field by field or in one call', () => {
    assert(
      property(array(tuple(integer({ min: 1, max: 15 }), maxSafeInteger())), (fields) => {
        const [one, other] = [new ProtobufWriter(), new ProtobufWriter()];
        one.message(2, fields.flat());
        const start = other.begin(2);
        for (const [field, value] of fields) other.number(field, value);
        other.end(start);
        expect(one.written).toEqual(other.written);
      }),
    );
  });

  it.each([0, 1, 127, 128, 16_383, 16_384, 3_000_000])('has a text of %d bytes inside of a message', (length) => {
    const inner: Tree = { one: 0, many: [], texts: ['x'.repeat(length)], within: [], large: 0n };
    const tree: Tree = { ...inner, texts: ['before'], within: [inner, inner] };
    expect(read(written(tree))).toEqual(asRead(tree));
  });
});
