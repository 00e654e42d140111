// The extension as other extensions see it, against the fake server.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';

interface Message {
    method?: string;
    params?: unknown;
}

function folder(): vscode.Uri {
    const first = vscode.workspace.workspaceFolders?.[0];
    assert.ok(first, 'a folder is open');
    return first.uri;
}

function received(): Message[] {
    const log = path.join(folder().fsPath, '.rsprof-fake/log');
    const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter((line) => line !== '') : [];
    return lines.map((line) => JSON.parse(line) as Message);
}

function tellServer(word: string): void {
    const file = path.join(folder().fsPath, '.rsprof-fake/command');
    writeFileSync(`${file}.new`, `${word}\n`);
    renameSync(`${file}.new`, file);
}

async function until(what: string, probe: () => boolean | Promise<boolean>): Promise<void> {
    for (let waited = 0; waited < 15_000; waited += 50) {
        if (await probe()) {
            return;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`waited in vain: ${what}`);
}

async function openSource(): Promise<vscode.TextEditor> {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder(), 'src/main.rs'));
    return vscode.window.showTextDocument(document);
}

function lineWith(document: vscode.TextDocument, text: string): number {
    return document.getText().split('\n').findIndex((line) => line.includes(text));
}

async function hoverTexts(document: vscode.TextDocument, line: number): Promise<string[]> {
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        new vscode.Position(line, 6),
    );
    return hovers.flatMap(({ contents }) => contents.map((content) => (content as vscode.MarkdownString).value));
}

async function attachFirst(): Promise<void> {
    const before = received().filter(({ method }) => method === 'rsprof/listProcesses').length;
    void vscode.commands.executeCommand('rsprof.attach');
    await until('the picker asks for the processes', () =>
        received().filter(({ method }) => method === 'rsprof/listProcesses').length > before);
    /* The answer has to reach the picker before its first row can be taken. */
    await until('an attach', async () => {
        await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
        await new Promise((resolve) => setTimeout(resolve, 200));
        return received().some(({ method }) => method === 'rsprof/attach');
    });
}

function defineAttachedTests(): void {
    test('a hover on an annotated line tells its details, once', async () => {
        const { document } = await openSource();
        const line = lineWith(document, 'parse(&input)');
        await until('a hover', async () => (await hoverTexts(document, line)).length > 0);
        const texts = await hoverTexts(document, line);
        assert.equal(texts.length, 1);
        assert.match(texts[0] ?? '', /\*\*CPU\*\*.*self.*total.*0\.74 cores, 4\.0% of it in the kernel/);
        assert.match(texts[0] ?? '', /\*\*Heap\*\* 12\.0 MiB live, in 96 blocks/);
        assert.match(texts[0] ?? '', /Calls: 30\.0% core::str::from\\_utf8\\<T\\>/);
        assert.deepEqual(await hoverTexts(document, 0), [], 'none on other lines');
    });

    test('hints that the server has for plain clients stay off', async () => {
        const { document } = await openSource();
        const range = new vscode.Range(0, 0, document.lineCount, 0);
        const hints = await vscode.commands.executeCommand<unknown[]>('vscode.executeInlayHintProvider', document.uri, range);
        assert.deepEqual(hints, []);
    });

    test('next and previous hot line go round the file', async () => {
        const editor = await openSource();
        editor.selection = new vscode.Selection(0, 0, 0, 0);
        const visited: number[] = [];
        for (let i = 0; i < 6; i++) {
            await vscode.commands.executeCommand('rsprof.nextHotLine');
            visited.push(editor.selection.active.line);
        }
        assert.deepEqual(visited, [5, 13, 15, 19, 20, 5]);
        await vscode.commands.executeCommand('rsprof.previousHotLine');
        assert.equal(editor.selection.active.line, 20);
    });

    test('the hottest line is opened, whatever is shown now', async () => {
        await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content: 'elsewhere' }));
        await vscode.commands.executeCommand('rsprof.goToHottest');
        const editor = vscode.window.activeTextEditor;
        assert.equal(editor?.document.fileName.endsWith('main.rs'), true);
        assert.equal(editor?.document.lineAt(editor.selection.active.line).text.includes('with_capacity'), true);
    });

    test('a change of the view reaches the server at once', async () => {
        const settings = vscode.workspace.getConfiguration('rsprof');
        await settings.update('view.metric', 'heap', vscode.ConfigurationTarget.Workspace);
        await until('setView', () => received().some(({ method, params }) =>
            method === 'rsprof/setView' && (params as { metric: string }).metric === 'heap'));
        await settings.update('view.metric', undefined, vscode.ConfigurationTarget.Workspace);
    });

    test('a change of the source map reaches the server at once', async () => {
        const settings = vscode.workspace.getConfiguration('rsprof');
        await settings.update('sourceMap', ['/build=/src'], vscode.ConfigurationTarget.Workspace);
        await until('sourceMap', () => received().some(({ method, params }) =>
            method === 'workspace/didChangeConfiguration' && JSON.stringify(params).includes('{"sourceMap":["/build=/src"]}')));
        await settings.update('sourceMap', undefined, vscode.ConfigurationTarget.Workspace);
    });

    test('hovers follow the text while it is edited', async () => {
        const editor = await openSource();
        const { document } = editor;
        const line = lineWith(document, 'parse(&input)');
        await editor.edit((builder) => {
            builder.insert(new vscode.Position(0, 0), '// one\n// two\n');
        });
        assert.equal((await hoverTexts(document, line + 2)).length, 1);
        await vscode.commands.executeCommand('undo');
        assert.equal((await hoverTexts(document, line)).length, 1);
    });

    test('a server that crashes is started again and attached as before', async () => {
        const starts = (): number => received().filter(({ method }) => method === 'rsprof/attach').length;
        const before = starts();
        tellServer('crash');
        await until('an attach of the new server', () => starts() > before);
        const { document } = await openSource();
        await until('annotations again', async () =>
            (await hoverTexts(document, lineWith(document, 'parse(&input)'))).length > 0);
    });

    test('detach takes everything away', async () => {
        const { document } = await openSource();
        await vscode.commands.executeCommand('rsprof.detach');
        await until('no hover', async () => (await hoverTexts(document, lineWith(document, 'parse(&input)'))).length === 0);
    });
}

export function defineExtensionTests(): void {
    suite('the extension in its host', () => {
        test('activates with every command it contributes', async () => {
            await openSource();
            const extension = vscode.extensions.getExtension('rsprof.rsprof');
            assert.ok(extension);
            await extension.activate();
            const contributed = extension.packageJSON as { contributes: { commands: { command: string }[] } };
            const known = await vscode.commands.getCommands(true);
            const missing = contributed.contributes.commands.filter(({ command }) => !known.includes(command));
            assert.deepEqual(missing, []);
        });

        test('starts no server before it is needed', () => {
            assert.deepEqual(received(), []);
        });

        test('attaches to the first process of the picker and declares that it draws annotations', async () => {
            await attachFirst();
            const initialize = received().find(({ method }) => method === 'initialize');
            const { capabilities, initializationOptions } = initialize?.params as {
                capabilities: { experimental: unknown };
                initializationOptions: unknown;
            };
            assert.deepEqual(capabilities.experimental, { rsprof: { annotations: true } });
            assert.deepEqual(initializationOptions, {
                cpuFreqHz: 199,
                heap: 'auto',
                heapIntervalBytes: 0,
                windowSec: 10,
                sourceMap: [],
                view: { metric: 'both', attribution: 'self', period: 'window', minShare: 0.001 },
            });
            const attach = received().find(({ method }) => method === 'rsprof/attach');
            assert.deepEqual(attach?.params, { pid: 4242, cpuFreqHz: 199, heap: 'auto', heapIntervalBytes: 0, windowSec: 10 });
        });

        defineAttachedTests();
    });
}
