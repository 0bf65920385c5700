// The calling side of one command, over: --kind=commander (the client of the product) · nest (Nest's ClientProxy) · bare (a socket and Nest's framing).
import { atOnce } from '../support/at-once.mjs';
import { built, require } from '../support/build.mjs';
import { serveParent } from '../support/child.mjs';
import { numberFlag, textFlag } from '../support/flags.mjs';
import { FramedPeer } from '../support/framed-peer.mjs';
import { DATA, PATTERN } from '../command-cpu/request.mjs';

require('reflect-metadata');
const { ClientProxyFactory, Transport } = require('@nestjs/microservices');
const { firstValueFrom } = require('rxjs');

const port = numberFlag('port');

const kinds = {
  commander: () => {
    const { CommanderClient } = built('sdk/client.js');
    const client = new CommanderClient({ host: '127.0.0.1', port });
    return () => client.schedules.get({ id: DATA.id });
  },
  nest: async () => {
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
    await client.connect();
    return () => firstValueFrom(client.send(PATTERN, DATA));
  },
  bare: async () => {
    const peer = await FramedPeer.connect(port);
    return () => peer.call(PATTERN, DATA);
  },
};
const call = await kinds[textFlag('kind')]();

serveParent(
  {},
  {
    drive: async ({ count, inFlight }) => {
      const { user, system } = process.cpuUsage();
      await atOnce(count, inFlight, async () => {
        const reply = await call();
        if (reply.id !== DATA.id) throw new Error(JSON.stringify(reply));
      });
      const spent = process.cpuUsage({ user, system });
      return { micros: (spent.user + spent.system) / count };
    },
  },
);
