import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings, settings } from '../../src/config/settings.js';
import { isSecret } from '../support/manifests/settings.check.js';
import { defaultText, readVariables, settingsFileText } from '../support/manifests/settings-file.js';

const FILE = join(__dirname, '../../k8s/base/commander.env');

describe('k8s/base/commander.env', () => {
  if (process.env.UPDATE_SETTINGS_FILE === 'true')
    writeFileSync(FILE, settingsFileText(readVariables(readFileSync(FILE, 'utf8'))));
  const text = readFileSync(FILE, 'utf8');
  const variables = readVariables(text);

  it('holds every setting that is not a secret, each with its documentation (UPDATE_SETTINGS_FILE=true rewrites the file)', () => {
    expect(text).toBe(settingsFileText(variables));
  });

  it('would notice a setting that is missing, one that is unknown, and a comment that is out of date', () => {
    const without = text.replace(/^LOG_LEVEL=.*\n/m, '');
    expect(without).not.toBe(settingsFileText(readVariables(without)));
    const unknown = `${text}\n# What?\nNO_SUCH_SETTING=1\n`;
    expect(unknown).not.toBe(settingsFileText(readVariables(unknown)));
    const stale = text.replace(settings.tcpPort.doc, 'Some port.');
    expect(stale).not.toBe(settingsFileText(readVariables(stale)));
  });

  it('differs from the defaults only in where it listens and where it writes', () => {
    const changed = Object.values(settings)
      .filter((setting) => !isSecret(setting.env) && variables.get(setting.env) !== defaultText(setting.default))
      .map(({ env }) => `${env}=${variables.get(env)}`);
    expect(changed).toEqual(['TCP_HOST=0.0.0.0', 'HTTP_HOST=0.0.0.0', 'EVIDENCE_DIR=/var/lib/commander']);
  });

  it('starts the service with both tokens, and with one of them missing does not', () => {
    const environment = { ...Object.fromEntries(variables), COMMANDER_TOKEN: 'one', DIAGNOSTICS_TOKEN: 'two' };
    expect(readSettings(environment).tcpHost).toBe('0.0.0.0');
    expect(() => readSettings({ ...environment, COMMANDER_TOKEN: '' })).toThrow(/COMMANDER_TOKEN/);
    expect(() => readSettings({ ...environment, DIAGNOSTICS_TOKEN: '' })).toThrow(/DIAGNOSTICS_TOKEN/);
  });
});
