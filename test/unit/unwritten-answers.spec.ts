import { UnwrittenAnswers } from '../../src/runs/unwritten-answers';

describe('UnwrittenAnswers', () => {
  it('takes no more than so many', () => {
    const answers = new UnwrittenAnswers({ count: 2, chars: 100 });
    expect([answers.tryTake(1), answers.tryTake(1), answers.tryTake(1)]).toEqual([true, true, false]);
    answers.give(1);
    expect([answers.tryTake(1), answers.tryTake(1)]).toEqual([true, false]);
  });

  it('takes no more than so much', () => {
    const answers = new UnwrittenAnswers({ count: 10, chars: 100 });
    expect([answers.tryTake(60), answers.tryTake(60), answers.tryTake(40), answers.tryTake(1)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    answers.give(60);
    expect(answers.tryTake(60)).toBe(true);
  });

  it('never takes one that is longer than all it has room for', () => {
    expect(new UnwrittenAnswers({ count: 10, chars: 100 }).tryTake(101)).toBe(false);
  });
});
