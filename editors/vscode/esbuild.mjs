// Bundles the extension into dist/extension.js. --watch rebuilds on change, --production minifies.
import { build, context } from 'esbuild';

const production = process.argv.includes('--production');
const options = {
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode'],
    minify: production,
    sourcemap: !production,
    logLevel: 'warning',
};

if (process.argv.includes('--watch')) {
    await (await context(options)).watch();
} else {
    await build(options);
}
