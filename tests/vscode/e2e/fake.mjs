// VS Code as a person uses it, with the fake server: attach from the palette, read what is drawn, make things go wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import path from 'node:path';
import { openBrowser } from '../lib/browser.mjs';
import { CodeServer } from '../lib/code_server.mjs';
import { makeProject, tellServer } from '../lib/project.mjs';
import { Workbench } from '../lib/workbench.mjs';

const FAKE = path.resolve(import.meta.dirname, '../fake/rsprof');
const { CODE_SERVER, VSIX, SHOTS = 'out/shots' } = process.env;

let server, browser, bench, project;

const lineOf = (lines, text) => lines.find((line) => line.text.includes(text));

before(async () => {
    project = makeProject();
    server = await CodeServer.start({ prefix: CODE_SERVER, vsix: VSIX, machine: { 'rsprof.server.path': FAKE } });
    browser = await openBrowser();
    bench = new Workbench(browser.page, SHOTS);
    await bench.open(server.url(project.folder));
    await bench.openFile('src/main.rs');
});

after(async () => {
    await browser?.close();
    await server?.stop();
    project?.remove();
});

test('the status bar item waits for an attach', async () => {
    await bench.waitForStatus(/^rsprof$/);
});

test('the picker lists Rust processes, those of the workspace first, and attaches', async () => {
    await bench.command('rsprof: Attach to Process');
    await bench.row('pid 4242').waitFor();
    const rows = await bench.page.locator('.quick-input-list .monaco-list-row').allTextContents();
    assert.match(rows[0], /svc.*release.*pid 4242.*1\.93 cores/);
    assert.ok(rows.every((row) => !row.includes('init')), 'processes that are not Rust are left out');
    await bench.shot('picker');
    await bench.pick('pid 4242');
    await bench.waitForLines('annotation of parse', (lines) => lineOf(lines, 'parse(&input)')?.after.includes('12.0 MiB'));
});

test('annotations stand after their lines, with bars and a status', async () => {
    const lines = await bench.lines();
    assert.match(lineOf(lines, 'parse(&input)').after, /^38\.\d% {2}12\.0 MiB$/);
    assert.match(lineOf(lines, 'Vec::with_capacity').after, /64\.0 MiB$/);
    assert.ok(lineOf(lines, 'parse(&input)').bar, 'a bar at the left edge');
    assert.equal(lineOf(lines, 'rows.clear()').after, '');
    assert.notEqual(lineOf(lines, 'parse(&input)').color, lineOf(lines, 'Vec::with_capacity').color, 'CPU and heap differ');
    await bench.waitForStatus(/svc 1\.93 cores 79\.0 MiB/);
});

test('annotations change with the values', async () => {
    const before = lineOf(await bench.lines(), 'parse(&input)').after;
    await bench.waitForLines('a new value', (lines) => lineOf(lines, 'parse(&input)').after !== before);
});
