// Each tool as its documentation says to use it: called early, it returns what prints its report.

exports['why-is-node-running'] = () => {
  const tool = require('why-is-node-running');
  const lines = [];
  return () => {
    (tool.default ?? tool)({ error: (...parts) => lines.push(parts.join(' ')) });
    return lines.join('\n');
  };
};

exports.wtfnode = () => {
  const tool = require('wtfnode');
  const lines = [];
  for (const level of ['info', 'warn', 'error']) tool.setLogger(level, (...parts) => lines.push(parts.join(' ')));
  return () => {
    tool.dump();
    return lines.join('\n');
  };
};

/** What one writes by hand: a stack for everything that is not a promise, the largest groups first. */
exports.async_hooks = () => {
  const { createHook } = require('node:async_hooks');
  const alive = new Map();
  createHook({
    init(id, type) {
      if (type !== 'PROMISE') alive.set(id, `${type}\n${new Error().stack.split('\n').slice(2).join('\n')}`);
    },
    destroy: (id) => alive.delete(id),
  }).enable();
  return () => {
    const groups = new Map();
    for (const place of alive.values()) groups.set(place, (groups.get(place) ?? 0) + 1);
    const largest = [...groups].sort(([, one], [, other]) => other - one).slice(0, 10);
    return largest.map(([place, count]) => `${count} × ${place}`).join('\n');
  };
};

exports['prom-client'] = () => {
  const { collectDefaultMetrics, register } = require('prom-client');
  collectDefaultMetrics();
  return () => register.metrics();
};

exports['process.report'] = () => () => {
  process.report.excludeNetwork = true;
  return JSON.stringify(process.report.getReport(), null, 1);
};

exports['@datadog/pprof'] = () => {
  const { heap } = require('@datadog/pprof');
  heap.start(512 * 1024, 64);
  return () => largestFunctions(heap.profile());
};

/** A profile as these tools send it, packed or not. */
function decoded(chunks) {
  const { gunzipSync } = require('node:zlib');
  const { Profile } = require('pprof-format');
  const body = Buffer.concat(chunks);
  return Profile.decode(body[0] === 0x1f ? gunzipSync(body) : body);
}

// Its endpoint starts the profiler, takes the profile at once and stops it. With the profiler started before it answers 500.
exports['@pyroscope/nodejs pull'] = () => {
  const { default: Pyroscope } = require('@pyroscope/nodejs');
  const { createServer, get } = require('node:http');
  Pyroscope.init({ appName: 'leaklab' });
  const express = require('express');
  const app = express();
  app.use(Pyroscope.expressMiddleware());
  const server = createServer(app).listen(0, '127.0.0.1').unref();
  return () =>
    new Promise((resolve, reject) => {
      const { port } = server.address();
      get(`http://127.0.0.1:${port}/debug/pprof/heap`, (response) => {
        if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.once('end', () => resolve(largestFunctions(decoded(chunks))));
      }).once('error', reject);
    });
};

/** The server it pushes to is ours, and keeps the heap profile that came last. */
exports['@pyroscope/nodejs push'] = () => {
  const { default: Pyroscope } = require('@pyroscope/nodejs');
  const { createServer } = require('node:http');
  let told = () => undefined;
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.once('end', () => {
      response.end();
      told(decoded(chunks));
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const serverAddress = `http://127.0.0.1:${server.address().port}`;
    Pyroscope.init({ appName: 'leaklab', serverAddress, flushIntervalMs: 5_000 });
    Pyroscope.startHeapProfiling();
  });
  return () => new Promise((resolve) => (told = (profile) => resolve(largestFunctions(profile))));
};

/** The ten functions that hold most, as `go tool pprof -top` lists them. */
function largestFunctions({ sample, location, function: functions, stringTable }) {
  const locations = new Map(location.map((each) => [Number(each.id), each]));
  const names = new Map(functions.map((each) => [Number(each.id), each]));
  const bytes = new Map();
  for (const { locationId, value } of sample) {
    const line = locations.get(Number(locationId[0]))?.line[0];
    const called = line && names.get(Number(line.functionId));
    if (!called) continue;
    const text = (index) => stringTable.strings[Number(index)];
    const place = `${text(called.name)} ${text(called.filename)}:${line.line}`;
    bytes.set(place, (bytes.get(place) ?? 0) + Number(value.at(-1)));
  }
  const largest = [...bytes].sort(([, one], [, other]) => other - one).slice(0, 10);
  return largest.map(([place, held]) => `${held} ${place}`).join('\n');
}
