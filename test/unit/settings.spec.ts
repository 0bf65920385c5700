import { readSettings, settings, SettingsError } from '../../src/config/settings.js';

function refusal(environment: Record<string, string>): string {
  try {
    readSettings(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as Error).message;
  }
  throw new Error('accepted');
}

describe('readSettings', () => {
  it('has a default for everything, and an empty variable counts as unset', () => {
    const values = readSettings({ TCP_PORT: '' });
    expect(values).toMatchObject({ tcpHost: '127.0.0.1', tcpPort: 7970, httpHost: '127.0.0.1', httpPort: 6060 });
    expect(Object.isFrozen(values)).toBe(true);
  });

  it('accepts its own defaults when they are written down', () => {
    for (const { env, default: value } of Object.values(settings)) {
      if (value === undefined || Array.isArray(value)) continue;
      expect(() => readSettings({ [env]: String(value) })).not.toThrow();
    }
  });

  it.each([
    ['TCP_PORT', '70000', 'a whole number from 0 to 65535'],
    ['TCP_PORT', '-1', 'a whole number from 0 to 65535'],
    ['TCP_PORT', '1e3', 'a whole number from 0 to 65535'],
    ['TCP_PORT', ' 80', 'a whole number from 0 to 65535'],
    ['SHUTDOWN_TIMEOUT_MS', '15s', 'whole milliseconds from'],
    ['LOG_LEVEL', 'loud', 'fatal, error, warn, info'],
    ['INSECURE_BIND', 'yes', 'true or false'],
  ])('refuses %s=%s with variable, value and what is expected', (name, value, expected) => {
    const message = refusal({ [name]: value });
    expect(message).toContain(`${name}=${JSON.stringify(value)}`);
    expect(message).toContain(expected);
  });

  it('names every bad value at once', () => {
    expect(refusal({ TCP_PORT: 'x', HTTP_PORT: 'y' }).split('\n')).toHaveLength(2);
  });

  it.each<[name: string, value: string]>([
    ['COMMANDER_TOKEN', 's3cret'.repeat(100)],
    ['DIAGNOSTICS_TOKEN', 's3cret '],
    ['DIAGNOSTICS_TOKEN', 's3crét'],
    ['REDIS_SENTINEL_PASSWORD', 's3cret'.repeat(100)],
    ...[
      'http://user:s3cret@host',
      'user:s3cret@redis:6379',
      'redis://:Zm9v/s3cret@redis:6379',
      'redis://:6/s3cret@redis:6379',
      'redis://redis:6?s3cret@redis:6379',
      'redis://redis:6#s3cret@redis:6379',
      'redis://user:pa@s3cret@redis:6379',
      'redis://:s3cret%zz@redis:6379',
      'redis://:s3cret@redis:6379\n',
    ].map((url): [string, string] => ['REDIS_URL', url]),
  ])('refuses %s=%j, and shows nothing of it', (name, value) => {
    const message = refusal({ [name]: value });
    expect(message).toContain(`${name}=<hidden>: expected`);
    expect(message).not.toContain('cret');
  });

  it.each([
    'redis://redis',
    'redis://redis:6379/3',
    'rediss://:a%2Fb%40c@redis.example:6380/0?family=6',
    'redis://user:p+w=@[::1]:6379',
  ])('accepts REDIS_URL=%s', (url) => {
    expect(readSettings({ REDIS_URL: url }).redisUrl).toBe(url);
  });

  it('refuses to listen beyond loopback without a token, and does so with one or when told to', () => {
    expect(refusal({ TCP_HOST: '0.0.0.0' })).toContain('COMMANDER_TOKEN');
    expect(refusal({ HTTP_HOST: '0.0.0.0' })).toContain('DIAGNOSTICS_TOKEN');
    expect(refusal({ DIAGNOSTICS_TRUST_LOOPBACK: 'false' })).toContain('expected DIAGNOSTICS_TOKEN set');
    const tls = { TCP_TLS_CERT_FILE: 'c', TCP_TLS_KEY_FILE: 'k' };
    expect(refusal({ TCP_HOST: '0.0.0.0', ...tls })).toContain('TCP_TLS_CLIENT_CA_FILE');
    for (const asksWho of [
      { COMMANDER_TOKEN: 'x' },
      { COMMANDER_TOKENS_FILE: 'f' },
      { ...tls, TCP_TLS_CLIENT_CA_FILE: 'a' },
    ]) {
      expect(readSettings({ TCP_HOST: '0.0.0.0', ...asksWho }).tcpHost).toBe('0.0.0.0');
    }
    expect(readSettings({ TCP_HOST: '0.0.0.0', HTTP_HOST: '::', INSECURE_BIND: 'true' }).httpHost).toBe('::');
  });

  it('refuses settings that contradict each other', () => {
    expect(refusal({ DRAIN_TIMEOUT_MS: '20000' })).toContain('SHUTDOWN_TIMEOUT_MS');
    expect(refusal({ AGENT_LEASE_MS: '1000' })).toContain('AGENT_HEARTBEAT_EVERY_MS');
    expect(refusal({ REDIS_MODE: 'cluster' })).toContain('REDIS_NODES');
    expect(refusal({ TCP_TLS_CERT_FILE: 'c' })).toContain('TCP_TLS_KEY_FILE');
    expect(refusal({ TCP_TLS_CLIENT_CA_FILE: 'a' })).toContain('TCP_TLS_CERT_FILE');
    expect(refusal({ AGENT_TLS_KEY_FILE: 'k' })).toContain('AGENT_TLS_CERT_FILE');
    expect(refusal({ AGENT_IDENTITY: 'certificate' })).toContain('TCP_TLS_CLIENT_CA_FILE');
    expect(refusal({ AGENT_TLS_CA_FILE: 'a' })).toContain('AGENT_TLS=true');
    expect(refusal({ REDIS_TLS_CERT_FILE: 'c' })).toContain('REDIS_TLS_KEY_FILE');
    expect(refusal({ REDIS_NODES: 'a:1' })).toContain('REDIS_MODE=sentinel or cluster');
    expect(refusal({ MAX_RESULT_BYTES: '131073' })).toContain('MAX_FRAME_BYTES + MAX_RESULT_BYTES (262145)');
    expect(readSettings({ MAX_RESULT_BYTES: '131072' }).maxResultBytes).toBe(131_072);
  });

  it('has a unit or a plural in the name of every number, and one line of documentation', () => {
    for (const [key, { env, doc, default: value }] of Object.entries(settings)) {
      expect(doc).toMatch(/^[A-Z].*\.$/);
      expect(doc).not.toContain('\n');
      if (typeof value === 'number' && !/PORT$/.test(env))
        expect(key).toMatch(/(Ms|Bytes|Depth|s|PerSecond|PerSchedule|PerNamespace|Commands|Ratio)$/);
    }
  });
});
