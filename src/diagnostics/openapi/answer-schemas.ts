import { z } from 'zod';

/** The JSON Schemas of a document, each known under its name from wherever it is used. */
export interface AnswerSchemas {
  /** What stands in the place of the schema: a reference to a named one, or the schema itself. */
  schemaOf(schema: z.ZodType): unknown;
  /** By name, for `components`. */
  schemas: Record<string, unknown>;
}

/** Translates in one go, so that what several answers have in common is there once. */
export function answerSchemas(answers: readonly z.ZodType[]): AnswerSchemas {
  const distinct = [...new Set(answers)];
  const whole = z.toJSONSchema(z.strictObject(Object.fromEntries(distinct.entries())), {
    io: 'output',
    unrepresentable: 'any',
  });
  const { properties, $defs } = JSON.parse(
    JSON.stringify(whole).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as Record<'properties' | '$defs', Record<string, unknown>>;
  return { schemaOf: (schema) => properties[distinct.indexOf(schema)], schemas: $defs };
}
