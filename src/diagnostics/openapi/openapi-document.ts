import type { Endpoint } from '../http/endpoint.js';
import { refusalSchema } from '../http/http-refusal.js';
import { answerSchemas } from './answer-schemas.js';
import { operationOf, type OpenApiOperation } from './operation.js';
import { ownVersion } from './own-version.js';
import { refusalResponses } from './refusal-responses.js';

/** OpenAPI 3.1, as far as we use it. */
export interface OpenApiDocument {
  openapi: '3.1.0';
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: Record<'schemas' | 'responses' | 'securitySchemes', Record<string, unknown>>;
}

const DESCRIPTION = [
  'What this process holds, which line made it, whether it leaks, how fast, and when it meets a limit.',
  'A request from this machine needs no token: the peer is loopback, Host is a loopback name, and no proxy forwarded it.',
  'HEAD is answered where GET is. At most 50 requests a second (200 at once) are answered, 10 (50 at once) of those who may',
  'not ask; of what is marked costly one at a time. A query parameter that is not listed is refused with 400.',
].join(' ');

/** The document of these endpoints; of several that share a path and a method it makes one operation. */
export function openApiDocument(endpoints: readonly Endpoint[]): OpenApiDocument {
  const { schemaOf, schemas } = answerSchemas([
    refusalSchema,
    ...endpoints.flatMap(({ answers }) => Object.values(answers).filter((schema) => schema !== null)),
  ]);
  const paths: OpenApiDocument['paths'] = {};
  for (const [path, methods] of byPathAndMethod(endpoints)) {
    paths[path] = Object.fromEntries(
      [...methods].map(([method, sharing]) => [method, operationOf(method, path, sharing, schemaOf)]),
    );
  }
  return {
    openapi: '3.1.0',
    info: { title: 'mu-commander diagnostics', version: ownVersion(), description: DESCRIPTION },
    paths,
    components: {
      schemas,
      responses: refusalResponses(schemaOf(refusalSchema)),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token of the diagnostics, for other machines.' },
      },
    },
  };
}

function byPathAndMethod(endpoints: readonly Endpoint[]): Map<string, Map<string, Endpoint[]>> {
  const paths = new Map<string, Map<string, Endpoint[]>>();
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
    const methods = paths.get(path) ?? new Map<string, Endpoint[]>();
    paths.set(path, methods);
    const method = endpoint.method.toLowerCase();
    methods.set(method, [...(methods.get(method) ?? []), endpoint]);
  }
  return paths;
}
