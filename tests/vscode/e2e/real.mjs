// The whole path: VS Code, the packaged extension with the real server in it, and a real Rust process under load.
// RSPROF_TARGET_BIN is the program, RSPROF_TARGET_SRC its source.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { openBrowser } from '../lib/browser.mjs';
import { CodeServer } from '../lib/code_server.mjs';
import { RealProject } from '../lib/project.mjs';
import { Workbench } from '../lib/workbench.mjs';

const { CODE_SERVER, VSIX, RSPROF_TARGET_BIN, RSPROF_TARGET_SRC, SHOTS = 'out/shots' } = process.env;

let server, browser, bench, project;

const annotated = (lines) => lines.filter(({ after }) => after !== '');
const bare = (lines) => lines.length > 0 && lines.every(({ after, bar }) => after === '' && !bar);
const share = ({ after }) => Number(/([\d.]+)%/.exec(after)?.[1] ?? 0);
const hottest = (lines) => annotated(lines).sort((a, b) => share(b) - share(a))[0];

async function attach() {
    await bench.command('rsprof: Attach to Process');
    await bench.pick(`pid ${project.pid}`);
    await bench.waitForLines('annotations', (lines) => annotated(lines).length >= 3);
}

before(async () => {
    assert.ok(existsSync(RSPROF_TARGET_BIN ?? ''), 'RSPROF_TARGET_BIN names a program');
    project = new RealProject(RSPROF_TARGET_BIN, RSPROF_TARGET_SRC);
    project.start();
    const user = { 'rsprof.sourceMap': project.sourceMap, 'rsprof.annotations.column': 70 };
    server = await CodeServer.start({ prefix: CODE_SERVER, vsix: VSIX, user });
    browser = await openBrowser({ width: 1440, height: 960 });
    bench = new Workbench(browser.page, SHOTS);
    await bench.open(server.url(project.folder));
    await bench.openFile(project.source);
});

after(async () => {
    await browser?.close();
    await server?.stop();
    project?.remove();
});

test('the picker has the process of this workspace first; annotations come by themselves', async () => {
    await bench.command('rsprof: Attach to Process');
    await bench.row(`pid ${project.pid}`).waitFor();
    const [first] = await bench.page.locator('.quick-input-list .monaco-list-row').allTextContents();
    assert.match(first, new RegExp(`${project.name}.*release.*pid ${project.pid}.*cores`));
    await bench.shot('real-picker');
    await bench.pick(`pid ${project.pid}`);
    const lines = await bench.waitForLines('annotations', (all) => annotated(all).length >= 3);
    for (const { after } of annotated(lines)) {
        assert.match(after, /^(<?[\d.]+%)?\s*([\d.]+ [KMG]?i?B)?$/);
    }
});

test('the shares add up to most of the process, and not to more than all', async () => {
    await bench.page.waitForTimeout(3000);
    const sum = (await bench.lines()).map(share).reduce((a, b) => a + b, 0);
    assert.ok(sum > 50 && sum < 101, `${sum} %`);
});

test('values change while the process runs', async () => {
    const text = (lines) => annotated(lines).map(({ after }) => after).join();
    const before = text(await bench.lines());
    await bench.waitForLines('other values', (lines) => annotated(lines).length > 0 && text(lines) !== before);
});

test('the status bar tells cores and heap', async () => {
    await bench.waitForStatus(new RegExp(`${project.name} \\d+\\.\\d\\d cores [\\d.]+ [KMG]?i?B`));
});

test('the hover tells the hottest line, with trend, callers and callees', async () => {
    const { text } = hottest(await bench.lines());
    const hover = await bench.hoverOver(text.trim());
    assert.match(hover, /CPU [\d.]+% self, [\d.]+% total \([\d.]+ cores/);
    assert.match(hover, /Called from: .*main/);
    await bench.shot('real-hover');
    await bench.restPointer();
});

test('the view Hot Lines lists lines of the program', async () => {
    await bench.command('rsprof: Show Hot Lines');
    // Until the view is there, the rows are those of the view before.
    await bench.until('rows of hot lines', async () => {
        const found = await bench.treeRows();
        return found.length >= 3 && /\.rs:\d+.*(%|B)/s.test(found[0]) ? found : undefined;
    });
});

for (const theme of ['Dark Modern', 'Dark High Contrast', 'Light Modern']) {
    test(`a picture in the theme ${theme}`, async () => {
        await bench.chooseTheme(theme);
        await bench.waitForLines('annotations', (lines) => annotated(lines).length >= 3);
        await bench.shot(`real-${theme.toLowerCase().replaceAll(' ', '-')}`);
    });
}

test('annotations follow the text while it is edited', async () => {
    await bench.page.locator('.view-lines .view-line').first().click();
    const { text, number } = hottest(await bench.lines());
    await bench.page.keyboard.press('Control+Home');
    await bench.page.keyboard.type('// one\n// two\n');
    const isMoved = (lines) => annotated(lines).some((line) => line.text === text && line.number === number + 2);
    await bench.waitForLines('the annotation two lines further down', isMoved);
    /* The server has seen the edit by its next update: the annotation is to stay where it is. */
    await bench.page.waitForTimeout(2500);
    await bench.waitForLines('the annotation still there', isMoved);
    await bench.page.keyboard.press('Control+z');
    await bench.page.keyboard.press('Control+z');
});

test('a server that is killed comes back and is attached as before', async () => {
    const [pid] = server.extensionProcesses();
    assert.ok(pid, 'the server of the package runs');
    for (const each of server.extensionProcesses()) {
        process.kill(each, 'SIGKILL');
    }
    await bench.waitForLines('no annotation', bare);
    await bench.waitForLines('annotations', (lines) => annotated(lines).length >= 3);
    assert.ok(!server.extensionProcesses().includes(pid));
});

test('detach takes the text away, and the process runs on', async () => {
    await bench.command('rsprof: Detach');
    await bench.waitForLines('no annotation', bare);
    await bench.waitForStatus(/^rsprof$/);
    process.kill(project.pid, 0);
    await attach();
});

test('the end of the process is said, its numbers stay, and a new one is attached to', async () => {
    project.stop();
    await bench.notification(`${project.name} ended`).waitFor();
    await bench.waitForStatus(new RegExp(`${project.name} ended`));
    assert.ok(annotated(await bench.lines()).length >= 3);
    project.start();
    await bench.command('rsprof: Re-attach to Last');
    await bench.waitForStatus(new RegExp(`${project.name} \\d+\\.\\d\\d cores`));
});

test('with the setting, a new process of the same program is attached to by itself', async () => {
    await bench.writeFile('.vscode/settings.json', '{ "rsprof.autoReattach": true }');
    await bench.openFile(project.source);
    const { pid } = project;
    project.stop();
    await bench.waitForStatus(new RegExp(`${project.name} ended`));
    project.start();
    await bench.waitForStatus(new RegExp(`${project.name} \\d+\\.\\d\\d cores`));
    assert.notEqual(project.pid, pid);
    await bench.waitForLines('annotations', (lines) => annotated(lines).length >= 3);
});
