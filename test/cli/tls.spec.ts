import { Certificates, type CertificateFiles } from '../support/certificates.js';
import { Service } from '../support/service.js';
import { runCli } from './support/cli-process.js';

jest.setTimeout(120_000);

let certificates: Certificates;
let own: CertificateFiles;
let service: Service;
let strict: Service;

beforeAll(async () => {
  certificates = await Certificates.create();
  own = await certificates.issue('operator');
  const files = { TCP_TLS_CERT_FILE: certificates.certFile, TCP_TLS_KEY_FILE: certificates.keyFile };
  [service, strict] = await Promise.all([
    Service.start(files),
    Service.start({ ...files, TCP_TLS_CLIENT_CA_FILE: certificates.caFile }),
  ]);
});
afterAll(async () => {
  await Promise.all([service, strict].map((each) => each?.stop()));
  await certificates.remove();
});

/** Not `health`, which says no when a busy machine makes Redis late. */
const asked = ({ replicas: [replica] }: Service, options: readonly string[], env: Record<string, string> = {}) =>
  runCli(['schedules', '--port', String(replica.tcpPort), ...options], { env });

describe('a service that speaks TLS', () => {
  it('is reached with its authority, from a file or from what Node knows', async () => {
    const known = { NODE_EXTRA_CA_CERTS: certificates.caFile };
    for (const ended of [
      await asked(service, ['--tls-ca', certificates.caFile]),
      await asked(service, ['--tls', '--tls-ca', certificates.caFile, '--host', 'localhost']),
      await asked(service, ['--tls'], known),
    ])
      expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('is not believed without it, and does not answer in the clear', async () => {
    const stranger = await asked(service, ['--tls']);
    expect(stranger).toMatchObject({ code: 1, stdout: '' });
    expect(stranger.stderr).toMatch(/^UNAVAILABLE: .*certificate/);
    const clear = await asked(service, ['--timeout', '2s']);
    expect(clear).toMatchObject({ code: 1, stdout: '' });
  });

  it('asks for a certificate, where it serves its own authority only', async () => {
    const options = ['--tls-ca', certificates.caFile];
    const shown = await asked(strict, [...options, '--tls-cert', own.certFile, '--tls-key', own.keyFile]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(await asked(strict, [...options, '--timeout', '2s'])).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('a command line that names files of TLS wrongly sends nothing', () => {
  const refused: [what: string, options: () => string[], message: RegExp][] = [
    ['half of a certificate', () => ['--tls-cert', own.certFile], /^--tls-cert and --tls-key go together\n/],
    ['the other half', () => ['--tls-key', own.keyFile], /^--tls-cert and --tls-key go together\n/],
    ['no file', () => ['--tls-ca', '/nowhere/ca.pem'], /^--tls-ca: ENOENT.*\/nowhere\/ca\.pem/],
    ['a key as an authority', () => ['--tls-ca', own.keyFile], /^--tls-ca: there is no certificate in /],
    [
      'the key of another',
      () => ['--tls-cert', own.certFile, '--tls-key', certificates.keyFile],
      /^--tls-key: .* is not the key of /,
    ],
  ];

  it.each(refused)('%s', async (_what, options, message) => {
    const { code, stdout, stderr } = await asked(service, options());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\nsee: mu-commander schedules list --help\n$/);
  });
});
