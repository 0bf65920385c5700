// Loaded with `node --require` where libfaketime is missing: shifts what this process takes for the time by CLOCK_SKEW_MS.
// Timers and performance.now() count differences and stay as they are, as on a machine whose clock is wrong.
const skewMs = Number(process.env.CLOCK_SKEW_MS ?? 0);
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
