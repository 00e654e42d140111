import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
    { ignores: ['dist/', 'server/', 'node_modules/'] },
    js.configs.recommended,
    {
        files: ['src/**/*.ts'],
        extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        rules: {
            eqeqeq: 'error',
            'max-lines': ['error', 500],
            'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
            /* The editor's API takes any object of the right shape for its classes, Disposable above all. */
            '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
            '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
        },
    },
    {
        files: ['*.mjs'],
        languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
    },
);
