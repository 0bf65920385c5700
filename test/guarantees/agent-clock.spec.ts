import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { Service } from '../support/service.js';
import { AgentSlot } from './agent-slot.js';

const distDir = process.env.DIST_DIR ?? join(__dirname, '../../dist');

let service: Service;
let folder: string;
beforeAll(async () => {
  service = await Service.start({ AGENT_LEASE_MS: '2000', AGENT_HEARTBEAT_EVERY_MS: '200' });
  folder = await mkdtemp(join(tmpdir(), 'commander-agent-clock-'));
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

it('an agent comes back on a machine whose clock is behind that of the machine it was on', async () => {
  const client = service.client();
  const commander = { port: service.replicas[0].tcpPort };
  const agent = new AgentSlot({ agentId: 'moved', commander }, distDir, join(folder, 'log'));
  try {
    const isUp = async () => (await client.agents.list({ state: 'up' })).items.length === 1;
    await agent.start(30_000);
    await eventually(isUp);
    await agent.kill();
    await eventually(async () => !(await isUp()));
    await agent.start(-30_000);
    await eventually(isUp, { timeoutMs: 20_000 });
    await expect(client.jobs.submit({ job: { name: 'work', payload: {} }, wait: true })).resolves.toMatchObject({
      result: { epoch: 1 },
    });
  } finally {
    await agent.kill();
  }
}, 60_000);
