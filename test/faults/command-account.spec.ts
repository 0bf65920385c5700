import { CommandAccount, type CommandFacts } from './command-account.js';

/** Two submits, a schedule that was declared twice, and one that was removed. */
function account(): CommandAccount {
  const told = new CommandAccount();
  told.submitted({ key: 'a', runId: 'run-a', askedAt: 1_000, answeredAt: 1_010 });
  told.submitted({ key: 'b', runId: 'run-b', askedAt: 2_000, answeredAt: 2_500 });
  told.declared({ id: 'kept', number: 1, askedAt: 1_000, answeredAt: 1_001 });
  told.declared({ id: 'kept', number: 2, askedAt: 2_000, answeredAt: 2_001 });
  told.declared({ id: 'gone', number: 1, askedAt: 1_000, answeredAt: 1_001 });
  told.declared({ id: 'gone', number: undefined, askedAt: 2_000, answeredAt: 2_001 });
  told.refused('UNAVAILABLE', 1_800);
  return told;
}

const facts = ({
  runs = { 'run-a': ['succeeded', 'a'], 'run-b': ['succeeded', 'b'] },
  declarations = { kept: 2 },
}: {
  runs?: Record<string, [string, string]>;
  declarations?: Record<string, number>;
} = {}): CommandFacts => ({
  runs: new Map(Object.entries(runs).map(([id, [state, key]]) => [id, { state, key }])),
  declarations: new Map(Object.entries(declarations)),
});

it('finds nothing where everything is as it was told', () => {
  expect(account().audit(facts())).toMatchObject({
    ...{ acknowledgedCount: 6, refusedCount: 1, slowestMs: 1_800 },
    ...{ lost: [], doubled: [], wrong: [], forgottenCount: 0 },
  });
});

it.each([
  ['a run that is not there', facts({ runs: { 'run-a': ['succeeded', 'a'] } }), 'submit b: run run-b has no record'],
  [
    'a run that failed',
    facts({ runs: { 'run-a': ['failed', 'a'], 'run-b': ['succeeded', 'b'] } }),
    'submit a: run run-a is failed',
  ],
  ['a schedule that is not there', facts({ declarations: {} }), 'declaration 2 of kept: it is not there'],
  ['an older declaration', facts({ declarations: { kept: 1 } }), 'declaration 2 of kept: 1 is stored'],
  ['a removal that was undone', facts({ declarations: { kept: 2, gone: 1 } }), 'removal of gone: it is there'],
])('finds %s', (_what, found, lost) => {
  expect(account().audit(found).lost).toEqual([lost]);
});

it('a declaration that was not acknowledged may be there', () => {
  expect(account().audit(facts({ declarations: { kept: 3 } })).lost).toEqual([]);
});

it('a declaration that got no answer may take effect at any time, also after what was acknowledged later', () => {
  const told = account();
  told.declarationPending('gone', 1);
  told.declarationPending('kept', 1);
  expect(told.audit(facts({ declarations: { kept: 1, gone: 1 } })).lost).toEqual([]);
  expect(told.audit(facts({ declarations: {} })).lost).toEqual(['declaration 2 of kept: it is not there']);
});

it('finds a key with two runs', () => {
  const twice = facts({
    runs: { 'run-a': ['succeeded', 'a'], 'run-b': ['succeeded', 'b'], again: ['succeeded', 'a'] },
  });
  expect(account().audit(twice).doubled).toEqual(['submit a: runs run-a, again']);
});

it('forgives only what was asked before everything was lost', () => {
  const nothing = facts({ runs: {}, declarations: {} });
  expect(account().audit(nothing, 1_500)).toMatchObject({
    forgottenCount: 1,
    lost: ['submit b: run run-b has no record', 'declaration 2 of kept: it is not there'],
  });
});

it('tells a refusal that nobody may get from an honest one', () => {
  const told = account();
  told.refused('INTERNAL', 5);
  expect(told.audit(facts()).wrong).toEqual(['INTERNAL']);
});
