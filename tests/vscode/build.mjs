// Bundles the tests that are TypeScript into the folder given: unit/*.test.mjs for Node, exthost.js for the extension host.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const here = import.meta.dirname;
const extension = path.resolve(here, '../../editors/vscode');
const { build } = createRequire(path.join(extension, 'package.json'))('esbuild');
const out = process.argv[2];
if (out === undefined) {
    console.error('usage: node build.mjs FOLDER');
    process.exit(2);
}

const common = { bundle: true, platform: 'node', target: 'node20', sourcemap: 'inline', logLevel: 'warning' };
await build({
    ...common,
    entryPoints: readdirSync(path.join(here, 'unit')).map((name) => path.join(here, 'unit', name)),
    format: 'esm',
    outdir: path.join(out, 'unit'),
    outExtension: { '.js': '.mjs' },
});
await build({
    ...common,
    entryPoints: [path.join(here, 'exthost/index.ts')],
    format: 'cjs',
    outfile: path.join(out, 'exthost.js'),
    external: ['vscode'],
    define: { TESTS_FOLDER: JSON.stringify(here) },
});
