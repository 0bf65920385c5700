// `npm run demo:incident`: the story behind this project, with the real service. An agent crawls with a handler that opens a Redis
// client per call; its diagnostics name the line; the schedule is switched to the mended handler, and the verdict is taken back.
// `--pictures=DIR` takes a picture of the page at each of the three moments. Ends by itself; exit code 1 if anything was not as told.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { eventually } from './demo/eventually.mjs';
import { buildExample } from './demo/example-build.mjs';
import { memoryLimited } from './demo/memory-limit.mjs';
import { PagePictures } from './demo/page-pictures.mjs';
import { Stage } from './demo/stage.mjs';
import { heading } from './demo/view.mjs';
import { inCheckout } from './lib/checkout.mjs';
import { runMain } from './lib/failure.mjs';
import { setUp } from './lib/set-up.mjs';

const EXAMPLE = 'examples/incident';
const LIMIT_MB = 256;
const EVERY_MS = 200;
const PLANT = /leaky-crawler\.ts$/;

await runMain(async () => {
  // `--built`: takes dist/ as it is.
  if (!process.argv.includes('--built')) await setUp();
  await buildExample(EXAMPLE, ['agent']);
  await new Stage().play(
    show,
    `Read ${EXAMPLE} for the two handlers; \`node --require mu-commander/register\` counts for any app of yours.`,
  );
});

async function show(stage) {
  const { expectations, redis } = stage;
  const token = randomBytes(16).toString('hex');
  const site = await startSite(stage);
  heading('Starting');
  const commander = stage.start('commander', 'dist/main.js', {
    ...{ TCP_PORT: '0', HTTP_PORT: '0', REDIS_URL: redis.url, REDIS_MODE: '', REDIS_NODES: '', COMMANDER_TOKEN: token },
    LOG_LEVEL: 'warn',
  });
  const { tcp } = await commander.started();
  const agent = stage.start(
    'crawler',
    `${EXAMPLE}/dist/agent/main.js`,
    { COMMANDER_PORT: String(tcp.port), COMMANDER_TOKEN: token, AGENT_ID: 'crawler', REDIS_URL: redis.url },
    ['--require', inCheckout('dist/diagnostics/register.js'), '--max-old-space-size=160'],
  );
  const isLimited = memoryLimited(stage, agent.pid, LIMIT_MB);
  const { url } = await agent.started();
  console.log(`  the page   ${url}/diagnostics   (open it in a browser and watch)`);
  console.log(
    `  the limit  ${isLimited ? `${LIMIT_MB} MiB, kept by the kernel` : 'none: this machine gives us no memory cgroup'}`,
  );
  const pictures = await PagePictures.start(stage, `${url}/diagnostics`);

  const { CommanderClient } = await import('mu-commander/client');
  const client = new CommanderClient({ port: tcp.port, token });
  stage.beforeTheEnd(() => client.close());
  const crawlWith = (name) =>
    client.schedules.upsert({ id: 'front-page', everyMs: EVERY_MS, job: { name, payload: { url: site } } });

  heading('A quiet day: the mended handler crawls');
  await crawlWith('crawl-fixed');
  await ran(client, 10);
  await pictures.take('incident-1-before');

  heading(`The upgrade: the leaky handler crawls every ${EVERY_MS} ms`);
  await crawlWith('crawl-leaky');
  const startedAt = Date.now();
  const leak = await eventually(
    async () => (await suspects(url)).find(({ state }) => state === 'leaking'),
    180_000,
    500,
  );
  console.log(leak ? `  after ${Math.round((Date.now() - startedAt) / 1_000)} s: ${leak.sentence}` : '  no verdict');
  expectations.expect(
    'the diagnostics named the line that opens a client per crawl',
    leak?.kind === 'ioredis.client' && PLANT.test(leak.site?.file ?? ''),
  );
  await pictures.take('incident-2-leaking', leak);

  heading('The cure: the schedule is switched back to the mended handler');
  await crawlWith('crawl-fixed');
  const curedAt = Date.now();
  const retracted = await eventually(
    async () => (await suspects(url)).find(({ id, state }) => id === leak?.id && state === 'retracted'),
    300_000,
    500,
  );
  console.log(
    retracted ? `  after ${Math.round((Date.now() - curedAt) / 1_000)} s: ${retracted.sentence}` : '  not retracted',
  );
  expectations.expect('the verdict was taken back once the growth had stopped', retracted);
  if (!retracted || !pictures.areTaken) return;
  // Its sockets, and the heap that the clients hold, are watched for longer before they are taken back, too.
  const isCalm = await eventually(
    async () => !['leaking', 'growing'].includes((await verdicts(url)).state) || undefined,
    300_000,
    500,
  );
  if (isCalm) await pictures.take('incident-3-retracted');
  else console.log('  no picture: something is said to grow yet');
}

async function verdicts(url) {
  return (await fetch(`${url}/diagnostics/verdicts`)).json();
}

async function suspects(url) {
  return (await verdicts(url)).verdicts.filter(({ kind }) => kind === 'ioredis.client');
}

async function ran(client, count) {
  await eventually(async () => {
    const { items } = await client.runs.list({ state: 'succeeded', limit: count });
    return items.length >= count ? items : undefined;
  }, 60_000);
}

/** The page that is crawled. */
async function startSite(stage) {
  const server = createServer((_request, response) => response.end('<ol><li>first<li>second</ol>'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.beforeTheEnd(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return `http://127.0.0.1:${server.address().port}/`;
}
