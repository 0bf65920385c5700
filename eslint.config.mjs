import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const OWN_CLIENT = 'A client of one’s own is a socket that nobody closes: inject REDIS, typed RedisClient (src/redis).';

/** One Redis client per process, opened and closed in one place. */
const ownClient = [
  'NewExpression[callee.name=/^(Redis|IORedis|Cluster|RedisCluster)$/]',
  'NewExpression[callee.property.name=/^(Redis|Cluster)$/]',
  'CallExpression[callee.property.name="duplicate"]',
  'ImportExpression[source.value=/^(ioredis|@liaoliaots)/]',
].map((selector) => ({ selector, message: OWN_CLIENT }));

const ioredis = {
  group: ['ioredis', 'ioredis/*'],
  message: OWN_CLIENT,
};
const redisModule = {
  group: ['@liaoliaots/nestjs-redis', '@liaoliaots/nestjs-redis/*'],
  message: 'Named in src/redis/redis.module.ts only, so that it can be replaced there.',
};

const unusedVars = { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true };

const restrictImports = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.data/', '.cache/', '**/dist/'] },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { globals: globals.node },
    rules: { 'no-unused-vars': ['error', unusedVars] },
  },
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: { sourceType: 'commonjs' },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommended],
    // Said here because it must hold without types, too: Nest reads the classes of constructor parameters at run time, so no `import type` for them.
    languageOptions: { parserOptions: { emitDecoratorMetadata: true, experimentalDecorators: true } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', unusedVars],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    // Rules that need types cost a compile, so they hold where a lost promise costs most.
    files: ['src/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, inheritedMethods: false } },
      ],
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts'],
    rules: {
      ...restrictImports(ioredis, redisModule),
      'no-restricted-syntax': ['error', ...ownClient],
    },
  },
  {
    files: ['src/redis/**/*.ts'],
    rules: { ...restrictImports(redisModule), 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/redis/redis.module.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // A test may open a raw client beside the one of the app, to look at Redis from outside.
    files: ['test/**/*.ts'],
    rules: {
      ...restrictImports(redisModule),
      'no-console': 'off',
      // What comes off the wire is looked at as it is.
      '@typescript-eslint/no-explicit-any': 'off',
      // Tests that hold on to an object, so that it is not collected, assign it for its own sake.
      'no-useless-assignment': 'off',
    },
  },
  {
    files: ['bench/**/*.ts', 'examples/**/*.ts', 'leaklab/**/*.ts'],
    rules: { 'no-console': 'off', '@typescript-eslint/no-explicit-any': 'off' },
  },
);
