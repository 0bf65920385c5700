import { readSettings } from '../../src/config/settings.js';
import { commanderAgentOptionsSchema } from '../../src/sdk/commander-agent.options.js';

it('an agent sends no result that commander refuses, where neither is told another length', () => {
  const { maxResultBytes } = commanderAgentOptionsSchema.parse({});
  expect(maxResultBytes).toBe(readSettings({}).maxResultBytes);
});

describe('an agent that listens beyond loopback', () => {
  const problems = (options: object) => {
    const { error } = commanderAgentOptionsSchema.safeParse({ listenHost: '0.0.0.0', ...options });
    return error?.issues.map(({ path }) => path.join('.')) ?? [];
  };

  it.each([
    ['nobody has to show who he is', {}],
    ['of TLS it shows only its own certificate', { listenTls: { key: 'key', cert: 'cert' } }],
    ['any public authority may vouch for who comes', { listenTls: { key: 'key', cert: 'cert', requestCert: true } }],
    [
      'a certificate is asked for, and none is served as well',
      { listenTls: { key: 'key', cert: 'cert', ca: 'ca', requestCert: true, rejectUnauthorized: false } },
    ],
    ['it has a name', { listenHost: 'agent-1.crawlers' }],
    ['it is an address that only begins like loopback', { listenHost: '127.example.org' }],
  ])('is refused where %s', (_where, options) => expect(problems(options)).toEqual(['listenHost']));

  it.each([
    ['commander has to show a token', { agentToken: 'secret' }],
    ['commander has to show the token that the agent shows', { commander: { token: 'secret' } }],
    ['commander has to show a certificate', { listenTls: { key: 'key', cert: 'cert', ca: 'ca', requestCert: true } }],
    ['it is wanted so', { insecureBind: true }],
    ['it is loopback after all', { listenHost: '127.0.0.2' }],
  ])('is fine where %s', (_where, options) => expect(problems(options)).toEqual([]));
});
