/* leaklab
row: 6
class: H
title: a channel dialled for every dispatch
read: the second leak of the service before this one
kind: socket.client
load: { rate: 50 }
perCommand: 1
seconds: { quick: 30, all: 60 }
needs: [mute]
memoryMiB: 512
*/
const { once } = require('node:events');
const { connect } = require('node:net');
const { serve } = require('../service.cjs');

const routes = new Map();

async function dial() {
  const channel = connect(Number(process.env.MUTE_PORT), '127.0.0.1'); // plant
  channel.on('error', () => undefined);
  await once(channel, 'connect');
  return channel;
}

let dispatches = 0;

async function dispatch() {
  const id = ++dispatches;
  const channel = await dial();
  channel.write(`${JSON.stringify({ id, work: 'crawl' })}\n`);
  // Only the newest is kept; nobody ends the others.
  routes.set('newest', channel);
}

serve(dispatch);
