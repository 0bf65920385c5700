/* leaklab
row: 14
class: M
title: a listener per request on an emitter that lives as long as the process
read: axios/axios#10780
kind: listener
load: { rate: 50 }
perCommand: 1
seconds: { quick: 40, all: 60 }
memoryMiB: 256
*/
const { EventEmitter } = require('node:events');
const { serve } = require('../service.cjs');

const settings = new EventEmitter();

function page(request) {
  const view = { url: request.url, language: 'en' };
  settings.on('language', (language) => (view.language = language)); // plant
  return view.language;
}

serve(page);
