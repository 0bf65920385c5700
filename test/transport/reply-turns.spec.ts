import { CROWD_COUNT, ReplyTurns, type Asker, type Turn } from '../../src/transport/reply-turns.js';

class TestAsker implements Asker {
  isBlocked = false;
  isCrowded = false;
  setCrowded(isCrowded: boolean): void {
    this.isCrowded = isCrowded;
  }
}

describe('ReplyTurns', () => {
  const started: string[] = [];
  beforeEach(() => void (started.length = 0));
  const turn = (name: string, replyBytes = 10): Turn & { isOver: boolean } => ({
    replyBytes,
    isOver: false,
    start: () => void started.push(name),
  });

  it('starts what fits, and the rest in order as others give back', () => {
    const turns = new ReplyTurns(20);
    const asker = new TestAsker();
    for (const name of ['a', 'b', 'c', 'd']) turns.ask(asker, turn(name));
    expect(started).toEqual(['a', 'b']);
    expect(turns.waitingCount).toBe(2);
    turns.giveBack(10);
    expect(started).toEqual(['a', 'b', 'c']);
    turns.giveBack(10);
    turns.giveBack(10);
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    expect(turns.waitingCount).toBe(0);
  });

  it('lets connections take turns, however many one of them asked for before', () => {
    const turns = new ReplyTurns(10);
    const [greedy, modest] = [new TestAsker(), new TestAsker()];
    for (let i = 0; i < 5; i++) turns.ask(greedy, turn(`greedy ${i}`));
    turns.ask(modest, turn('modest 0'));
    turns.ask(modest, turn('modest 1'));
    for (let i = 0; i < 6; i++) turns.giveBack(10);
    expect(started).toEqual(['greedy 0', 'greedy 1', 'modest 0', 'greedy 2', 'modest 1', 'greedy 3', 'greedy 4']);
  });

  it('starts nothing for one that does not take its replies, and goes on when it does', () => {
    const turns = new ReplyTurns(10);
    const [deaf, other] = [new TestAsker(), new TestAsker()];
    deaf.isBlocked = true;
    turns.ask(deaf, turn('deaf'));
    turns.ask(other, turn('other'));
    turns.giveBack(10);
    expect(started).toEqual(['other']);
    deaf.isBlocked = false;
    turns.pump();
    expect(started).toEqual(['other', 'deaf']);
  });

  it('skips what is over, forgets who is gone, and starts what is longer than all the room', () => {
    const turns = new ReplyTurns(10);
    const [asker, gone] = [new TestAsker(), new TestAsker()];
    turns.ask(asker, turn('first'));
    const over = turn('over');
    turns.ask(asker, over);
    turns.ask(asker, turn('huge', 1_000));
    const lost = turn('lost');
    turns.ask(gone, lost);
    over.isOver = true;
    expect(turns.forget(gone)).toEqual([lost]);
    turns.giveBack(10);
    expect(started).toEqual(['first', 'huge']);
  });

  it('tells a connection to stop when its queue is full, and to go on when it is not', () => {
    const turns = new ReplyTurns(10);
    const asker = new TestAsker();
    for (let i = 0; i < CROWD_COUNT; i++) turns.ask(asker, turn(`${i}`));
    expect(asker.isCrowded).toBe(false);
    turns.ask(asker, turn('last'));
    expect(asker.isCrowded).toBe(true);
    turns.giveBack(10);
    expect(asker.isCrowded).toBe(false);
  });
});
