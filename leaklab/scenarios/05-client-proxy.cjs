/* leaklab
row: 5
class: H
title: a ClientProxy made for every call and never closed
read: nestjs/nest#6296
kind: nest.ClientTCP
load: { rate: 20 }
perCommand: 1
seconds: { quick: 40, all: 60 }
needs: [nest]
memoryMiB: 512
*/
require('reflect-metadata');
const { ClientProxyFactory, Transport } = require('@nestjs/microservices');
const { firstValueFrom } = require('rxjs');
const { serve } = require('../service.cjs');

async function dispatch(work) {
  const options = { host: '127.0.0.1', port: Number(process.env.NEST_PORT) };
  const proxy = ClientProxyFactory.create({ transport: Transport.TCP, options }); // plant
  return firstValueFrom(proxy.send('work', work));
}

serve((request) => dispatch({ url: request.url }));
