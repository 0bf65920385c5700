import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NEW_KEY = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-sha256'];

/** A certificate and its key, as PEM files. */
export interface CertificateFiles {
  certFile: string;
  keyFile: string;
}

/** A CA and certificates that it signed (the first: for 127.0.0.1 and localhost), as PEM files in a directory of their own. */
export class Certificates {
  private constructor(private readonly directory: string) {}

  static async create(): Promise<Certificates> {
    const certificates = new Certificates(await mkdtemp(join(tmpdir(), 'commander-tls-')));
    await certificates.openssl(
      ...[...NEW_KEY, '-x509', '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem'],
    );
    await certificates.issue('server');
    return certificates;
  }

  get caFile(): string {
    return this.file('ca.pem');
  }

  get certFile(): string {
    return this.file('server.pem');
  }

  get keyFile(): string {
    return this.file('server.key');
  }

  /** A further certificate of the CA. @param san what it names beside its common name */
  async issue(name: string, san = 'IP:127.0.0.1,DNS:localhost'): Promise<CertificateFiles> {
    await writeFile(this.file(`${name}.ext`), `subjectAltName=${san}`);
    await this.openssl(...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const sign = ['x509', '-req', '-days', '2', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    await this.openssl(...sign, '-extfile', `${name}.ext`, '-in', `${name}.csr`, '-out', `${name}.pem`);
    return { certFile: this.file(`${name}.pem`), keyFile: this.file(`${name}.key`) };
  }

  /** Writes one certificate over another, the certificate first and the key after it. */
  async replace({ certFile, keyFile }: CertificateFiles, by: CertificateFiles): Promise<void> {
    await copyFile(by.certFile, certFile);
    await copyFile(by.keyFile, keyFile);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  private file(name: string): string {
    return join(this.directory, name);
  }

  private async openssl(...args: string[]): Promise<void> {
    await run('openssl', args, { cwd: this.directory, timeout: 30_000 });
  }
}
