// Runs the bundled mocha tests inside a real extension host. EXTENSION: folder of the extension; TESTS: the bundle.
import path from 'node:path';
import { openBrowser } from '../lib/browser.mjs';
import { CodeServer } from '../lib/code_server.mjs';
import { makeProject } from '../lib/project.mjs';

const { CODE_SERVER, EXTENSION, TESTS } = process.env;
const TIMEOUT_MS = 120_000;

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
/* The workbench misses native modules that are not built, and says so at length. */
const NOISE = /@vscode\/(spdlog|native-watchdog)|^(Ignoring fetching|Updating additional|Creation of workbench)/;
/* What it says else before the tests begin matters only if they fail. */
const early = [];
let begun = false;
await browser.page.exposeFunction('codeAutomationLog', (type, args) => {
    const text = args.join(' ');
    begun ||= text.includes('the extension in its host');
    if (NOISE.test(text)) {
        return;
    }
    if (begun) {
        console.log(...args);
    } else {
        early.push(args);
    }
});
await browser.page.goto(server.url(project.folder, `&payload=${encodeURIComponent(payload)}`));
const code = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS, 'none in time'))]);
if (code !== 0) {
    early.forEach((args) => console.error(...args));
    console.error(`the extension host ended with ${code}`);
}
await browser.close();
await server.stop();
project.remove();
process.exit(code === 0 ? 0 : 1);
