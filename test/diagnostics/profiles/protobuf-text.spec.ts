import { assert, bigInt, type Arbitrary, array, integer, maxSafeInteger, property, record, string } from 'fast-check';
import { parse } from 'protobufjs';
import {
  bytesOf,
  FIXED_BYTES,
  fixed,
  lengthField,
  numberField,
  textsField,
  varints,
} from '../../../src/diagnostics/profiles/protobuf-text';

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

function textOf({ one, many, texts, within, large }: Tree): string {
  return [
    numberField(1, one),
    lengthField(2, varints(many)),
    textsField(3, texts),
    ...within.map((inner) => lengthField(14, textOf(inner))),
    numberField(15, large),
  ].join('');
}

const written = (tree: Tree): Buffer => bytesOf(textOf(tree));

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

describe('a message of protobuf-text', () => {
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

  it('has a number in four bytes as it is', () => {
    const numbers = array(integer({ min: 0, max: 2 ** 28 - 1 }), { maxLength: 8 });
    assert(
      property(numbers, (many) => {
        const fields = lengthField(2, many.map(fixed).join(''));
        expect(fields).toHaveLength(2 + FIXED_BYTES * many.length);
        expect(read(bytesOf(fields))).toMatchObject({ many: many.map(String) });
      }),
    );
  });

  it.each([0, 1, 127, 128, 16_383, 16_384, 3_000_000])('has a text of %d bytes inside of a message', (length) => {
    const inner: Tree = { one: 0, many: [], texts: ['x'.repeat(length)], within: [], large: 0n };
    const tree: Tree = { ...inner, texts: ['before'], within: [inner, inner] };
    expect(read(written(tree))).toEqual(asRead(tree));
  });
});
