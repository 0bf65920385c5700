import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allCommands, commandTable } from '../../src/cli/command-table.js';
import { globalOptions } from '../../src/cli/global-options.js';
import { cliFile, runCli } from './support/cli-process.js';

const checkout = join(__dirname, '../..');

async function help(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

it('tells every command and every global option', async () => {
  const text = await help('--help');
  for (const name of allCommands().keys()) expect(text).toContain(name.replace(/ list$/, ' [list]'));
  for (const name of Object.keys(globalOptions)) expect(text).toContain(`--${name}`);
  expect(await help('-h')).toBe(text);
});

it('tells the commands of a group and the options of a command', async () => {
  expect(await help('schedules', '--help')).toMatch(/^Usage: mu-commander schedules COMMAND[^]*pause ID[^]*sync FILE/);
  const text = await help('schedules', 'trigger', '--help');
  expect(text).toMatch(/^Usage: mu-commander schedules trigger ID \[options\]\n/);
  for (const option of ['--wait', '--payload JSON', '--agent ID', '--key KEY', '--port PORT']) {
    expect(text).toContain(option);
  }
  expect(await help('explain', '--help')).toContain('Usage: mu-commander explain ID AT');
});

it('tells the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  expect(await help('--version')).toBe(`${version}\n`);
});

it('is run by the name in package.json', () => {
  const { bin } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  expect(bin).toEqual({ 'mu-commander': 'dist/cli/main.js' });
  expect(readFileSync(cliFile, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  // npm links it once, but each build writes it anew.
  expect(() => accessSync(join(checkout, bin['mu-commander']), constants.X_OK)).not.toThrow();
});

it('knows each option either with a value or without, whatever the command', () => {
  const kinds = new Map<string, boolean>();
  for (const options of [globalOptions, ...[...allCommands().values()].map((command) => command.options)]) {
    for (const [name, { placeholder }] of Object.entries(options)) {
      const takesValue = placeholder !== undefined;
      expect([name, kinds.get(name) ?? takesValue]).toEqual([name, takesValue]);
      kinds.set(name, takesValue);
    }
  }
  for (const { options } of allCommands().values()) {
    expect(Object.keys(options).filter((name) => name in globalOptions)).toEqual([]);
  }
});

describe('docs/cli.md', () => {
  const page = readFileSync(join(checkout, 'docs/cli.md'), 'utf8');

  it('names every command and every option', () => {
    for (const [name, { options }] of allCommands()) {
      const [, row] = new RegExp(`^\\| \`${name}(?: [^\`]*)?\` \\|(.*)$`, 'm').exec(page) ?? [];
      expect([name, row]).toEqual([name, expect.any(String)]);
      for (const option of Object.keys(options))
        expect([name, row]).toEqual([name, expect.stringContaining(`--${option}`)]);
    }
    for (const option of Object.keys(globalOptions)) expect(page).toContain(`--${option}`);
  });

  it('names no command that is not there', () => {
    const named = [...page.matchAll(/mu-commander ([a-z]+)/g)].map(([, word]) => word);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((word) => !(word in commandTable))).toEqual([]);
  });
});
