import { eventually } from '../../support/eventually.js';
import { Service } from '../../support/service.js';

it('of the life that goes on, named by its id, memory answers over TCP as over HTTP: nothing of it need be kept anywhere', async () => {
  const service = await Service.start({ EVIDENCE_DIR: '', RECORDER_REDIS_SAMPLES: '0', RECORDER_INTERVAL_MS: '200' });
  try {
    const client = service.client();
    const { id } = (await client.diagnostics.lives({})).current;
    await eventually(async () =>
      expect((await client.diagnostics.history({ life: id })).samples.length).toBeGreaterThan(1),
    );
    await expect(client.diagnostics.history({ life: 'another' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  } finally {
    await service.stop();
  }
}, 60_000);
