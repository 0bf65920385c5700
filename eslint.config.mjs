import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** One Redis client per process, opened and closed in one place: see docs/adr. */
const ownClient = {
  selector: 'NewExpression[callee.name=/^(Redis|IORedis|Cluster|RedisCluster)$/]',
  message: 'A client of one’s own is a socket nobody closes: inject REDIS (src/redis).',
};
const ownClientMember = {
  selector: 'NewExpression[callee.property.name=/^(Redis|Cluster)$/]',
  message: ownClient.message,
};
const ioredis = {
  group: ['ioredis', 'ioredis/*'],
  message: 'Only src/redis knows ioredis: inject REDIS, typed RedisClient.',
};
const redisModule = {
  group: ['@liaoliaots/nestjs-redis', '@liaoliaots/nestjs-redis/*'],
  message: 'Named in src/redis/redis.module.ts only, so that it can be replaced there.',
};

const restrictImports = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.data/', '.cache/', '**/dist/'] },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { globals: globals.node },
  },
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: { sourceType: 'commonjs' },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommended],
    rules: {
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
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
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts'],
    rules: {
      ...restrictImports(ioredis, redisModule),
      'no-restricted-syntax': ['error', ownClient, ownClientMember],
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
    // Tests that hold on to an object, so that it is not collected, assign it for its own sake.
    rules: { ...restrictImports(redisModule), 'no-console': 'off', 'no-useless-assignment': 'off' },
  },
  {
    files: ['bench/**/*.ts', 'examples/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
