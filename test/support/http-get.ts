import { request, type IncomingHttpHeaders } from 'node:http';

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  bytes: Buffer;
  json<T = any>(): T;
}

export interface HttpGetOptions {
  /** Replaces those that Node sends by itself, `Host` included. */
  headers?: Record<string, string | string[]>;
  method?: string;
  /** Fails the request when the server is silent for this long. Default 20 s. */
  timeoutMs?: number;
}

/** One request on a connection of its own (closed afterwards), with full control over its headers. */
export function httpGet(
  url: string,
  { headers = {}, method = 'GET', timeoutMs = 20_000 }: HttpGetOptions = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          bytes,
          json: () => JSON.parse(text),
        });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    sent.on('error', reject);
    sent.end();
  });
}
