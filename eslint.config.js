// Lint rules: type-checked, floating promises and unsafe any are errors.
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules/', '.stack/', 'odoo-addon-bridge/', '**/*.cjs', '**/*.js'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'no-console': 'error',
    },
  },
  {
    // What they throw has no caller that could catch it.
    files: ['connector/**', 'gateways/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...[
          'CallExpression[callee.property.name=/^(on|once)$/]',
          'CallExpression[callee.name=/^set(Interval|Timeout)$/]',
        ].map((call) => ({
          selector: `${call} > :matches(ArrowFunctionExpression[body.type="BlockStatement"], FunctionExpression)`,
          message: 'wrap the handler in bounded(), contract/runtime/boundary.ts',
        })),
      ],
    },
  },
  {
    files: ['scripts/**', 'test/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // Configuration is what the YAML files say (`${NAME}` there) and the arguments of a main: nothing is hidden in a part.
    files: ['connector/**', 'gateways/**', 'contract/**'],
    ignores: ['**/main.ts', 'gateways/shared/process.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env' },
        { object: 'process', property: 'cwd' },
      ],
    },
  },
  {
    files: ['test/**'],
    rules: {
      // node:test's describe/it/test return promises that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          ignoreVoid: false,
          allowForKnownSafeCalls: [
            {
              from: 'package',
              name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
              package: 'node:test',
            },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
