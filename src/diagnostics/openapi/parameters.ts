import { z } from 'zod';

/** A parameter of an operation. */
export interface OpenApiParameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  description?: string;
  schema: Record<string, unknown>;
}

/** Those in the path: `{id}`. */
export function pathParameters(path: string): OpenApiParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name: name!,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

/** Those of a query, with their bounds and defaults. */
export function queryParameters(query: z.ZodObject): OpenApiParameter[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' });
  // A default is told in the form it has once it was read, where the schema tells the form in which it is given.
  const defaults = (query.safeParse({}, { jitless: true }).data ?? {}) as Record<string, unknown>;
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as Record<string, unknown> & { description?: string };
    // For text; the type is the one that the text is read as.
    if (schema.type === 'integer') delete schema.pattern;
    if (defaults[name] !== undefined) schema.default = defaults[name];
    return {
      name,
      in: 'query',
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}
