/* leaklab
row: 13
class: H
title: a child process per request that nobody waits for
read: puppeteer/puppeteer#1825
kind: child_process
load: { rate: 2 }
perCommand: 1
seconds: { quick: 70, all: 90 }
memoryMiB: 512
*/
const { spawn } = require('node:child_process');
const { serve } = require('../service.cjs');

function render() {
  const browser = spawn('sleep', ['600'], { stdio: 'ignore' }); // plant
  return browser.pid;
}

serve(render);
