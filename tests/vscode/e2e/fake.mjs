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

const parsed = (lines) => lineOf(lines, 'parse(&input)');
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
    await bench.page.locator('.statusbar-item', { hasText: 'loading symbols' }).first().waitFor();
    await bench.waitForLines('annotation of parse', (lines) => lineOf(lines, 'parse(&input)')?.after.includes('12.0 MiB'));
});

test('annotations stand after their lines, with bars and a status', async () => {
    const colour = (lines, text) => lineOf(lines, text)?.color;
    const lines = await bench.waitForLines('CPU and heap told apart', (all) =>
        colour(all, 'parse(&input)') !== colour(all, 'Vec::with_capacity'));
    assert.match(lineOf(lines, 'parse(&input)').after, /^38\.\d% {2}12\.0 MiB$/);
    assert.match(lineOf(lines, 'Vec::with_capacity').after, /64\.0 MiB$/);
    assert.ok(lineOf(lines, 'parse(&input)').bar, 'a bar at the left edge');
    assert.equal(lineOf(lines, 'rows.clear()').after, '');
    await bench.waitForStatus(/svc 1\.93 cores 79\.0 MiB/);
});

test('annotations change with the values', async () => {
    const before = lineOf(await bench.lines(), 'parse(&input)').after;
    await bench.waitForLines('a new value', (lines) => lineOf(lines, 'parse(&input)').after !== before);
});

test('lines whose values stay are not touched by an update', async () => {
    tellServer(project.folder, 'freeze');
    await bench.page.waitForTimeout(1500);
    const touched = await bench.page.evaluate(async () => {
        const names = new Set();
        const observer = new MutationObserver((records) => {
            records.forEach(({ target }) => {
                const line = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target).closest('.view-line');
                if (line !== null) {
                    names.add(line.textContent);
                }
            });
        });
        observer.observe(document.querySelector('.view-lines'), { subtree: true, childList: true, attributes: true, characterData: true });
        await new Promise((resolve) => setTimeout(resolve, 2500));
        observer.disconnect();
        return [...names];
    });
    assert.deepEqual(touched, []);
    tellServer(project.folder, 'thaw');
});

test('the picker shows all processes when asked to, and why some may not be attached to', async () => {
    await bench.command('rsprof: Attach to Process');
    await bench.row('pid 4444').waitFor();
    assert.match(await bench.row('pid 4444').textContent(), /belongs to root/);
    await bench.page.locator('.quick-input-titlebar .action-label[aria-label^="Show all processes"]').click();
    await bench.row('init').waitFor();
    await bench.page.keyboard.press('Escape');
});

test('the hover comes up on the annotation itself too', async () => {
    const box = await bench.page.evaluate(() => {
        const span = [...document.querySelectorAll('.view-lines > .view-line span span')]
            .find((each) => getComputedStyle(each, '::after').content.includes('12.0'));
        const { right, top, height } = span.closest('.view-line > span').getBoundingClientRect();
        return { x: right - 30, y: top + height / 2 };
    });
    await bench.hoverAt(box.x, box.y);
    await bench.restPointer();
});

test('the hover tells the details of a line, with links', async () => {
    const text = await bench.hoverOver('rows.push(parse');
    assert.match(text, /CPU 3\d\.\d% self, 3\d\.\d% total \(0\.74 cores, 4\.0% of it in the kernel; \d+ samples\)/);
    assert.match(text, /Heap 12\.0 MiB live, in 96 blocks/);
    assert.match(text, /Called from: 100% svc::main/);
    assert.match(text, /Calls: 30\.0% core::str::from_utf8<T>/);
    await bench.shot('hover');
    await bench.restPointer();
});

test('annotations follow the text while it is edited', async () => {
    const { number } = parsed(await bench.lines());
    await bench.page.locator('.view-lines .view-line', { hasText: 'use std' }).first().click();
    await bench.page.keyboard.press('Control+Home');
    await bench.page.keyboard.type('// a line more\n');
    await bench.waitForLines('the annotation one line further down', (lines) =>
        parsed(lines)?.number === number + 1 && parsed(lines).after !== '');
    await bench.page.keyboard.press('Control+z');
    await bench.page.keyboard.press('Control+z');
    await bench.waitForLines('the annotation back', (lines) => parsed(lines)?.number === number && parsed(lines).after !== '');
});

test('a break at the end of an annotated line leaves the annotation there', async () => {
    await bench.page.locator('.view-lines .view-line', { hasText: 'rows.push(parse' }).first().click();
    await bench.page.keyboard.press('End');
    await bench.page.keyboard.press('Enter');
    await bench.waitForLines('the annotation beside its text, none below', (lines) => {
        const annotated = parsed(lines);
        const below = lines.find(({ number }) => number === annotated?.number + 1);
        return annotated?.after !== '' && below?.text.trim() === '' && below.after === '' && !below.bar;
    });
    await bench.page.keyboard.press('Control+z');
});

test('the view Hot Lines lists lines of files, hottest first, and goes to them', async () => {
    await bench.command('rsprof: Show Hot Lines');
    const rows = await bench.until('rows', async () => {
        const found = await bench.treeRows();
        return found.length >= 5 ? found : undefined;
    });
    assert.match(rows[0], /main\.rs:16.*64\.0 MiB.*svc::main/s);
    await bench.page.locator('.pane-body .monaco-list-row', { hasText: 'main.rs:20' }).first().click();
    await bench.until('the cursor on the line', async () =>
        (await bench.page.locator('.statusbar-item', { hasText: /Ln 20, Col 1/ }).count()) > 0);
    await bench.shot('hot-lines');
});

test('hot lines are grouped by file when asked to', async () => {
    await bench.command('rsprof: Group Hot Lines by File');
    await bench.until('a file with its lines', async () => {
        const rows = await bench.treeRows();
        return /main\.rs.*\d+\.\d%.*79\.0 MiB/s.test(rows[0] ?? '') && /^line 16/.test(rows[1] ?? '');
    });
    await bench.command('rsprof: List Hot Lines Singly');
    await bench.until('lines alone', async () => /main\.rs:16/.test((await bench.treeRows())[0] ?? ''));
});

test('annotations are switched off and on', async () => {
    await bench.command('rsprof: Toggle Annotations');
    await bench.waitForLines('no annotation', (lines) => lines.every(({ after, bar }) => after === '' && !bar));
    await bench.command('rsprof: Toggle Annotations');
    await bench.waitForLines('annotations', (lines) => parsed(lines)?.after !== '');
});

test('the metric is chosen from a list', async () => {
    await bench.command('rsprof: Choose Metric');
    await bench.pick('bytes that are live now');
    await bench.waitForLines('heap only', (lines) => parsed(lines)?.after === '12.0 MiB');
    await bench.command('rsprof: Choose Metric');
    await bench.pick('CPU and heap');
    await bench.waitForLines('both', (lines) => /%.*MiB/.test(parsed(lines)?.after ?? ''));
});

for (const theme of ['Dark Modern', 'Dark High Contrast', 'Light High Contrast', 'Light Modern']) {
    test(`the theme ${theme} has colours of its own`, async () => {
        const before = parsed(await bench.lines()).color;
        await bench.chooseTheme(theme);
        const lines = await bench.waitForLines('other colours', (all) => ![before, ''].includes(parsed(all)?.color));
        assert.notEqual(parsed(lines).color, lineOf(lines, 'Vec::with_capacity').color);
        await bench.shot(`theme-${theme.toLowerCase().replaceAll(' ', '-')}`);
    });
}

/** Columns between the left edge of the code and each annotation. */
const annotationColumns = () => bench.page.evaluate(() => {
    const starts = [];
    for (const span of document.querySelectorAll('.editor-instance .view-lines > .view-line span span')) {
        const style = getComputedStyle(span, '::after');
        if (/^".+"$/.test(style.content)) {
            starts.push(Math.round(span.getBoundingClientRect().left + parseFloat(style.marginLeft)));
        }
    }
    return starts;
});

test('with a column set, annotations line up', async () => {
    assert.ok(new Set(await annotationColumns()).size > 1, 'they follow their lines by default');
    await bench.writeFile('.vscode/settings.json', '{ "rsprof.annotations.column": 72 }');
    await bench.openFile('src/main.rs');
    await bench.until('one left edge', async () => {
        const columns = await annotationColumns();
        return columns.length >= 4 && new Set(columns).size === 1;
    }).catch(async (error) => {
        throw new Error(`${error.message}: ${JSON.stringify(await annotationColumns())}`);
    });
    await bench.shot('column');
});

test('drawn on the current line only, the text follows the cursor', async () => {
    await bench.writeFile('.vscode/settings.json', '{ "rsprof.annotations.mode": "currentLine" }');
    await bench.openFile('src/main.rs');
    await bench.page.locator('.view-lines .view-line', { hasText: 'rows.push(parse' }).first().click();
    await bench.waitForLines('one annotation', (lines) => lines.filter(({ after }) => after !== '').length === 1);
    const lines = await bench.lines();
    assert.notEqual(parsed(lines).after, '');
    assert.ok(lineOf(lines, 'Vec::with_capacity').bar, 'bars stay on all hot lines');
    await bench.writeFile('.vscode/settings.json', '{}');
    await bench.openFile('src/main.rs');
});

test('a file that no longer matches the build is said to, once', async () => {
    tellServer(project.folder, 'stale');
    await bench.notification('has changed since svc was built').waitFor();
    await bench.shot('stale');
    tellServer(project.folder, 'fresh');
    await bench.closeNotifications();
    tellServer(project.folder, 'stale');
    await bench.page.waitForTimeout(1500);
    assert.equal(await bench.notification('has changed since').count(), 0);
    tellServer(project.folder, 'fresh');
});

test('the end of the process is said, and its numbers stay', async () => {
    tellServer(project.folder, 'lose');
    await bench.notification('svc ended').waitFor();
    await bench.waitForStatus(/svc ended/);
    assert.notEqual(parsed(await bench.lines()).after, '');
    await bench.shot('lost');
    await bench.page.locator('.notification-toast .monaco-button', { hasText: 'Re-attach' }).click();
    await bench.waitForStatus(/svc 1\.93 cores/);
});

test('a server that crashes comes back by itself', async () => {
    tellServer(project.folder, 'crash');
    await bench.waitForStatus(/^rsprof$/);
    await bench.waitForStatus(/svc 1\.93 cores/);
    await bench.waitForLines('annotations', (lines) => parsed(lines)?.after !== '');
});

test('the status bar item has a menu, and detach takes the text away', async () => {
    await bench.statusItem().click();
    await bench.row('Go to Hottest Line').waitFor();
    await bench.shot('menu');
    await bench.pick('Detach');
    await bench.waitForLines('no annotation', (lines) => lines.length > 0 && lines.every(({ after, bar }) => after === '' && !bar));
    await bench.waitForStatus(/^rsprof$/);
});

test('without rights it says what to do, with the command to copy', async () => {
    await bench.command('rsprof: Attach to Process');
    await bench.pick('pid 4444');
    const toast = bench.notification('Give rsprof the rights once');
    await toast.waitFor();
    assert.ok(await toast.locator('.monaco-button', { hasText: 'Copy Command' }).isVisible());
    await bench.shot('no-rights');
    await bench.closeNotifications();
});

test('without line information it offers the lines of Cargo.toml', async () => {
    await bench.command('rsprof: Attach to Process');
    await bench.pick('pid 4343');
    await bench.notification('line-tables-only').locator('.monaco-button', { hasText: 'Copy Cargo.toml Lines' }).waitFor();
    await bench.closeNotifications();
});

test('the setup is checked on a page', async () => {
    await bench.command('rsprof: Check Setup');
    const frames = () => bench.page.frames().map((frame) => frame.locator('code', { hasText: 'sudo setcap all+ep rsprof' }).count().catch(() => 0));
    await bench.until('the page', async () => (await Promise.all(frames())).some((count) => count > 0));
    await bench.shot('check-setup');
});

test('a server that is not there is said to be missing, with the setting to mend', async () => {
    await bench.writeFile('.vscode/settings.json', '{ "rsprof.server.path": "/nowhere/rsprof" }');
    const toast = bench.notification('/nowhere/rsprof does not exist');
    /* The setting may reach the extension after the command. */
    await bench.until('the message', async () => {
        await bench.command('rsprof: Restart Server');
        return toast.waitFor({ timeout: 3000 }).then(() => true, () => false);
    });
    assert.ok(await toast.locator('.monaco-button', { hasText: 'Open Settings' }).isVisible());
    await bench.writeFile('.vscode/settings.json', '{}');
});
