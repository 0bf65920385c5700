import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import { readTlsMaterial } from '../config/settings-file.js';
import { type Settings, SettingsError } from '../config/settings.js';

/**
 * What commands are served with over TLS, read from the files of the settings; undefined where they name none.
 * @throws SettingsError when a file cannot be read or holds nothing to serve with
 */
export async function tcpTlsOptions(settings: Settings): Promise<TlsOptions | undefined> {
  const { tcpTlsCertFile, tcpTlsKeyFile, tcpTlsClientCaFile, frameTimeoutMs } = settings;
  if (tcpTlsCertFile === undefined) return undefined;
  const material = await readTlsMaterial(
    { cert: 'TCP_TLS_CERT_FILE', key: 'TCP_TLS_KEY_FILE', ca: 'TCP_TLS_CLIENT_CA_FILE' },
    { cert: tcpTlsCertFile, key: tcpTlsKeyFile, ca: tcpTlsClientCaFile },
  );
  assertUsable(material);
  const isMutual = tcpTlsClientCaFile !== undefined;
  return {
    ...material,
    minVersion: 'TLSv1.2',
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
    // A handshake is a frame, too: one that trickles holds a connection for as long as one.
    handshakeTimeout: frameTimeoutMs,
  };
}

function assertUsable(material: SecureContextOptions): void {
  try {
    createSecureContext(material);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingsError(
      `TCP_TLS_CERT_FILE, TCP_TLS_KEY_FILE, TCP_TLS_CLIENT_CA_FILE: expected PEM files that belong together (${reason})`,
    );
  }
}
