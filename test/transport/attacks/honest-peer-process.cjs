// A peer that behaves, in a process of its own so that its clock sees nothing of the attackers' work: asks one thing after
// the other on one connection until it is told to stop, then says what it saw.
const { connect } = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');

const { HONEST_PORT, HONEST_TOKEN, HONEST_DEADLINE_MS } = process.env;
const PAUSE_MS = 10;
const token = HONEST_TOKEN === '' ? undefined : HONEST_TOKEN;
const seen = { troubles: [], latenciesMs: [] };
let isStopped = false;
process.on('message', () => (isStopped = true));
process.on('disconnect', () => process.exit(0));

const socket = connect({ port: Number(HONEST_PORT), host: '127.0.0.1', noDelay: true });
let text = '';
let answered;
socket.setEncoding('utf8');
socket.on('data', (chunk) => {
  text += chunk;
  const hash = text.indexOf('#');
  const end = hash + 1 + Number(text.slice(0, hash));
  if (hash === -1 || text.length < end) return;
  answered(JSON.parse(text.slice(hash + 1, end)));
  text = text.slice(end);
});
socket.on('error', () => {});
const closed = new Promise((resolve) => socket.once('close', () => resolve(undefined)));

async function work() {
  for (let id = 0; !isStopped; id++) {
    const data = { limit: 1, deadlineMs: Number(HONEST_DEADLINE_MS) };
    const json = JSON.stringify({ id, pattern: 'schedule.list', data, token });
    const startedAt = performance.now();
    const answer = new Promise((resolve) => (answered = resolve));
    socket.write(`${json.length}#${json}`);
    const packet = await Promise.race([answer, closed]);
    if (packet === undefined) return void seen.troubles.push('the connection was closed');
    if (packet.err !== undefined) seen.troubles.push(packet.err.code);
    seen.latenciesMs.push(performance.now() - startedAt);
    await sleep(PAUSE_MS);
  }
}

socket.once('connect', async () => {
  process.send('working');
  await work();
  while (!isStopped) await sleep(PAUSE_MS);
  socket.destroy();
  process.send(seen, () => process.exit(0));
});
