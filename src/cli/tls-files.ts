import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { UsageError } from './usage.error.js';

/** What the command line says of TLS. */
export interface TlsOptionValues {
  readonly tls?: boolean;
  readonly 'tls-ca'?: string;
  readonly 'tls-cert'?: string;
  readonly 'tls-key'?: string;
}

/**
 * What `tls.connect` takes, from the files that were named; undefined where nothing asks for TLS.
 * @throws UsageError for a file that cannot be read or is none of its kind, and for half of a client certificate
 */
export function tlsFrom({
  tls,
  'tls-ca': ca,
  'tls-cert': cert,
  'tls-key': key,
}: TlsOptionValues): ConnectionOptions | undefined {
  if (tls !== true && ca === undefined && cert === undefined && key === undefined) return undefined;
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--tls-cert and --tls-key go together');
  const options: ConnectionOptions = {};
  if (ca !== undefined) options.ca = certificateIn('--tls-ca', ca);
  if (cert !== undefined && key !== undefined) {
    options.cert = certificateIn('--tls-cert', cert);
    options.key = textIn('--tls-key', key);
    try {
      createSecureContext(options);
    } catch (error) {
      throw new UsageError(`--tls-key: ${key} is not the key of ${cert} (${(error as Error).message})`);
    }
  }
  return options;
}

/** Node takes a file without a certificate for an empty list, and then trusts nobody. */
function certificateIn(option: string, file: string): string {
  const text = textIn(option, file);
  try {
    new X509Certificate(text);
  } catch {
    throw new UsageError(`${option}: there is no certificate in ${file} (PEM is expected)`);
  }
  return text;
}

function textIn(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}
