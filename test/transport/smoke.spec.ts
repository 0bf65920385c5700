import { CommandApp } from './command-app.js';
it('works', async () => {
  const app = await CommandApp.start();
  const peer = await app.peer();
  console.log(await peer.ask('system.health'), await peer.ask('agent.list', {limit: 5}), await peer.ask('schedule.get',{id:'defect'}), await peer.ask('schedule.get',{id:'x'}), await peer.ask('schedule.get',{id:'stream'}),await peer.ask('schedule.get',{id:'cyclic'}), JSON.stringify(await peer.ask('schedule.get',{idx:3})), app.server.stats());
  await app.close();
});
