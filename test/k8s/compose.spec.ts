import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { readSettings } from '../../src/config/settings.js';
import { composeCheck, type ComposeFile } from '../support/docker/compose.check.js';
import manifest from '../../package.json';

const read = (path: string) => readFileSync(join(__dirname, '../..', path), 'utf8');
const file = parse(read('compose.yaml')) as ComposeFile;
const defaults = readSettings({});

describe('compose.yaml', () => {
  it('is what it has to be', () => {
    expect(composeCheck(file, defaults)).toEqual([]);
  });

  it.each<[string, (broken: ComposeFile) => void, RegExp]>([
    ['no limit', ({ services }) => delete services.commander.mem_limit, /commander: no memory limit/],
    ['swap', ({ services }) => (services.commander.memswap_limit = '400m'), /may swap/],
    ['a Redis that swaps', ({ services }) => delete services.redis.memswap_limit, /redis: may swap/],
    ['a writable root', ({ services }) => delete services.commander.read_only, /writable/],
    ['kept capabilities', ({ services }) => delete services.commander.cap_drop, /keeps capabilities/],
    ['new privileges', ({ services }) => delete services.commander.security_opt, /gain privileges/],
    ['a moving tag', ({ services }) => (services.redis.image = 'redis:latest'), /no fixed tag/],
    ['no tag', ({ services }) => (services.redis.image = 'redis'), /no fixed tag/],
    ['a public port', ({ services }) => services.commander.ports!.push('7970:7970'), /reachable from other hosts/],
    [
      'a token with a default',
      ({ services }) => (services.commander.environment!.COMMANDER_TOKEN = '${COMMANDER_TOKEN:-x}'),
      /COMMANDER_TOKEN/,
    ],
    ['too little time to stop', ({ services }) => delete services.commander.stop_grace_period, /grace period 10000 ms/],
    ['too little memory', ({ services }) => (services.commander.mem_limit = '192m'), /at worst, limit 192m/],
    ['an unbounded /tmp', ({ services }) => (services.commander.tmpfs = ['/tmp']), /at worst/],
    ['a Redis that forgets', ({ services }) => services.redis.command!.splice(1, 2), /forgets/],
    ['a Redis that evicts', ({ services }) => services.redis.command!.splice(-1, 1, 'allkeys-lru'), /drop schedules/],
  ])('would be noticed with %s', (_title, damage, finding) => {
    const broken = structuredClone(file);
    damage(broken);
    expect(composeCheck(broken, defaults).join('\n')).toMatch(finding);
  });

  it('names the images that the manifests name', () => {
    const redis = parseAllDocuments(read('k8s/overlays/dev/redis.yaml'))[0]!;
    expect(file.services.redis.image).toBe(redis.getIn(['spec', 'template', 'spec', 'containers', 0, 'image']));
    expect(file.services.commander.image).toBe(`mu-commander:${manifest.version}`);
  });
});
