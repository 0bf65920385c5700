import { InFlight } from '../../src/lifecycle/in-flight.js';

const timersCount = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('InFlight', () => {
  it('counts by kind and in all; ending twice counts once', () => {
    const inFlight = new InFlight();
    const endCommand = inFlight.begin('commands');
    inFlight.begin('commands');
    inFlight.begin('runs');
    expect([inFlight.count(), inFlight.count('commands'), inFlight.count('runs'), inFlight.count('other')]).toEqual([
      3, 2, 1, 0,
    ]);
    endCommand();
    endCommand();
    expect(inFlight.byKind()).toEqual({ commands: 1, runs: 1 });
  });

  it('is idle at once when nothing is under way', async () => {
    expect(await new InFlight().idle(60_000)).toBe(true);
  });

  it('becomes idle when the last piece of work ends, and leaves no timer', async () => {
    const inFlight = new InFlight();
    const before = timersCount();
    const ends = [inFlight.begin('commands'), inFlight.begin('runs')];
    let idle = false;
    const waiting = inFlight.idle(60_000).then((result) => (idle = result));
    ends[0]();
    await Promise.resolve();
    expect(idle).toBe(false);
    ends[1]();
    expect(await waiting).toBe(true);
    expect(timersCount()).toBe(before);
  });

  it('waits for one kind only, if one is named', async () => {
    const inFlight = new InFlight();
    inFlight.begin('runs');
    const end = inFlight.begin('commands');
    const waiting = inFlight.idle(60_000, 'commands');
    end();
    expect(await waiting).toBe(true);
    expect(inFlight.count('runs')).toBe(1);
  });

  it('says false when the time is over, and works again afterwards', async () => {
    const inFlight = new InFlight();
    const end = inFlight.begin('commands');
    expect(await inFlight.idle(20)).toBe(false);
    const waiting = inFlight.idle(60_000);
    end();
    expect(await waiting).toBe(true);
  });
});
