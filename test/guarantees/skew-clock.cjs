// Loaded with `node --require` where libfaketime is missing: shifts what this process takes for the time by CLOCK_SKEW_MS, or by
// what CLOCK_SKEW_FILE says in seconds, looked at once a second.
// Timers and performance.now() count differences and stay as they are, as on a machine whose clock is wrong.
const { readFileSync } = require('node:fs');

const { CLOCK_SKEW_MS = '0', CLOCK_SKEW_FILE: file } = process.env;
let skewMs = Number(CLOCK_SKEW_MS);
if (file !== undefined) setInterval(() => (skewMs = Number(readFileSync(file, 'utf8')) * 1_000), 1_000).unref();
const RealDate = Date;
const realNow = Date.now.bind(Date);

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(realNow() + skewMs);
    else super(...parts);
  }

  static now() {
    return realNow() + skewMs;
  }
};
