/* leaklab
row: 18
class: M
title: a logger per request on a shared transport
read: winstonjs/winston#1334
load: { rate: 20 }
perCommand: 1
seconds: { quick: 60, all: 90 }
memoryMiB: 512
*/
const { Writable } = require('node:stream');
const { createLogger, format, transports } = require('winston');
const { serve } = require('../service.cjs');

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
const shared = new transports.Stream({ stream: sink });

function withLogger(request) {
  const logger = createLogger({ format: format.json(), defaultMeta: { url: request.url }, transports: [shared] }); // plant
  logger.info('request');
}

serve(withLogger);
