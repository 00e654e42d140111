// Runs the bundled mocha tests inside a real extension host. EXTENSION: folder of the extension; TESTS: the bundle.
import path from 'node:path';
import { openBrowser } from '../lib/browser.mjs';
import { CodeServer } from '../lib/code_server.mjs';
import { makeProject } from '../lib/project.mjs';

const { CODE_SERVER, EXTENSION, TESTS } = process.env;
const TIMEOUT_MS = 120_000;

/* What the workbench itself says while it starts; it also misses a native logger, which is not built. */
const NOISE = /^(\[(AgentHost|ChatModel|AccountPolicy|reconnection|Service Worker|UriError)|Ignoring fetching|Creating a socket|Resolv(ing|ed) connection|%c)|@vscode\/spdlog/;

const project = makeProject();
const server = await CodeServer.start({
    prefix: CODE_SERVER,
    machine: { 'rsprof.server.path': path.resolve(import.meta.dirname, '../fake/rsprof') },
    args: ['--enable-smoke-test-driver'],
});
const browser = await openBrowser();
const remote = (file) => `vscode-remote://127.0.0.1:${server.port}${path.resolve(file)}`;
const payload = JSON.stringify([['extensionDevelopmentPath', remote(EXTENSION)], ['extensionTestsPath', remote(TESTS)]]);

const ended = new Promise((resolve) => browser.page.exposeFunction('codeAutomationExit', resolve));
await browser.page.exposeFunction('codeAutomationLog', (type, args) => {
    if (!NOISE.test(String(args[0]))) {
        console[type === 'error' ? 'error' : 'log'](...args);
    }
});
await browser.page.goto(server.url(project.folder, `&payload=${encodeURIComponent(payload)}`));
const code = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS, 'none in time'))]);
if (code !== 0) {
    console.error(`the extension host ended with ${code}`);
}
await browser.close();
await server.stop();
project.remove();
process.exit(code === 0 ? 0 : 1);
