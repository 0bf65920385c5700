/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  rootDir: __dirname,
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/tsconfig.json' }] },
  // Sources import './x.js' so that the same files compile as ESM; jest resolves the .ts beside them.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  globalSetup: '<rootDir>/test/support/without-settings.ts',
  setupFilesAfterEnv: ['<rootDir>/test/support/check-leaks.ts'],
  // Most suites start processes, two suites at a time: on a slow machine that alone takes many seconds.
  testTimeout: 60_000,
  maxWorkers: 2,
  // Suites that wait for most of their time run beside those two.
  runner: '<rootDir>/test/support/lanes.runner.ts',
};
