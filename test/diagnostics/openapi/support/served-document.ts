import Ajv, { type ValidateFunction } from 'ajv/dist/2020';
import type { OpenApiDocument } from '../../../../src/diagnostics/openapi/openapi-document';
import type { Endpoint } from '../../../../src/diagnostics/http/endpoint';
import type { FullAnswer } from '../../support/every-endpoint';

interface DocumentedResponse {
  headers?: Record<string, unknown>;
  content: Record<string, { schema?: unknown }>;
}

/** The document as it is served, and what was seen of it. */
export class ServedDocument {
  /** `get /diagnostics 200 application/json`, for each answer that was compared. */
  readonly seen = new Set<string>();
  private readonly validators = new Map<string, ValidateFunction>();
  private readonly ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });

  constructor(readonly document: OpenApiDocument) {
    this.ajv.addSchema(document, 'document');
  }

  /** All that succeeds, in the words of `seen`. */
  successes(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { responses }]) =>
        Object.entries(responses)
          .filter(([status]) => Number(status) < 400)
          .flatMap(([status, response]) =>
            Object.keys((response as DocumentedResponse).content).map((type) => `${method} ${path} ${status} ${type}`),
          ),
      ),
    );
  }

  /** @throws Error saying how the answer differs from what the document says of it */
  compare({ method, path }: Endpoint, { status, text }: FullAnswer): void {
    const [head, ...rest] = text.split('\n');
    const headers = headersOf(JSON.parse(head!) as string[]);
    const type = headers['content-type']?.split(';')[0] ?? '';
    const where = path.replace(/:(\w+)/g, '{$1}');
    const [pointer, response] = this.responseOf(where, method.toLowerCase(), status);
    const content = response.content[type];
    if (content === undefined) throw new Error(`${method} ${path} ${status}: ${type} is not documented`);
    for (const name of Object.keys(response.headers ?? {}))
      if (!(name.toLowerCase() in headers)) throw new Error(`${method} ${path} ${status}: without ${name}`);
    if (type === 'application/json') {
      const validate = this.validator(`document#${pointer}/content/application~1json/schema`);
      if (!validate(JSON.parse(rest.join('\n')))) throw new Error(`${path}: ${this.ajv.errorsText(validate.errors)}`);
    }
    this.seen.add(`${method.toLowerCase()} ${where} ${status} ${type}`);
  }

  private responseOf(path: string, method: string, status: number): [pointer: string, DocumentedResponse] {
    const response = this.document.paths[path]?.[method]?.responses[status] as
      (DocumentedResponse & { $ref?: string }) | undefined;
    if (response === undefined) throw new Error(`${method} ${path} ${status} is not documented`);
    const { $ref } = response;
    if ($ref === undefined)
      return [
        `/paths/${path.replaceAll('/', '~1').replace(/[{}]/g, encodeURIComponent)}/${method}/responses/${status}`,
        response,
      ];
    const code = $ref.replace('#/components/responses/', '');
    return [`/components/responses/${code}`, this.document.components.responses[code] as DocumentedResponse];
  }

  private validator(reference: string): ValidateFunction {
    const known = this.validators.get(reference);
    if (known !== undefined) return known;
    const made = this.ajv.compile({ $ref: reference });
    this.validators.set(reference, made);
    return made;
  }
}

function headersOf(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) headers[raw[index]!.toLowerCase()] = raw[index + 1]!;
  return headers;
}
