// Makes one .vsix for linux-x64 that carries the server. RSPROF names the server binary; OUT, if set, the file to write.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';

const server = process.env.RSPROF;
if (!server || !existsSync(server)) {
    console.error(`RSPROF must name the rsprof binary to carry${server ? `: ${server} does not exist` : ''}.`);
    process.exit(2);
}
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'));
const out = process.env.OUT ?? `${name}-linux-x64-${version}.vsix`;

mkdirSync('server', { recursive: true });
copyFileSync(server, 'server/rsprof');
chmodSync('server/rsprof', 0o755);
if (existsSync('../../LICENSE')) {
    copyFileSync('../../LICENSE', 'LICENSE');
}
execFileSync('node', ['esbuild.mjs', '--production'], { stdio: 'inherit' });
execFileSync(
    'node_modules/.bin/vsce',
    ['package', '--target', 'linux-x64', '--no-dependencies', '--no-rewrite-relative-links',
        '--allow-missing-repository', '--skip-license', '-o', out],
    { stdio: 'inherit' },
);
