import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A CA and a certificate for 127.0.0.1 and localhost that it signed, as PEM files in a directory of their own. */
export class Certificates {
  private constructor(private readonly directory: string) {}

  static async create(): Promise<Certificates> {
    const directory = await mkdtemp(join(tmpdir(), 'commander-tls-'));
    const openssl = (...args: string[]) => run('openssl', args, { cwd: directory, timeout: 30_000 });
    const request = ['req', '-newkey', 'rsa:2048', '-nodes', '-sha256'];
    await openssl(...request, '-x509', '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem');
    await openssl(...request, '-subj', '/CN=redis', '-keyout', 'server.key', '-out', 'server.csr');
    await writeFile(join(directory, 'san'), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
    const sign = ['x509', '-req', '-days', '2', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    await openssl(...sign, '-extfile', 'san', '-in', 'server.csr', '-out', 'server.pem');
    return new Certificates(directory);
  }

  get caFile(): string {
    return join(this.directory, 'ca.pem');
  }

  get certFile(): string {
    return join(this.directory, 'server.pem');
  }

  get keyFile(): string {
    return join(this.directory, 'server.key');
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
