// A client that knows nothing of rsprof: hints, hovers, lenses, diagnostics, commands and questions of LSP itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { Server } from './lib/server.mjs';
import { document, sourceText, sourceUri, startTarget, temporaryFolder, workspace } from './lib/target.mjs';

const refreshing = { workspace: { inlayHint: { refreshSupport: true }, codeLens: { refreshSupport: true } } };
const everything = { start: { line: 0, character: 0 }, end: { line: 100000, character: 0 } };

async function withServer(t, run, capabilities = refreshing, more = {}) {
  const server = new Server();
  t.after(() => server.kill());
  await server.initialize(capabilities, { ...workspace(), ...more });
  await server.notify('textDocument/didOpen', document());
  await run(server);
  assert.deepEqual(server.problems, []);
  for (const { method } of server.notifications) assert.ok(!method.startsWith('rsprof/'), method);
}

const attach = (server, pid) => server.request('workspace/executeCommand', { command: 'rsprof.attach', arguments: [pid] });
const refreshes = (server) => server.requests.filter((request) => request.method === 'workspace/inlayHint/refresh');
const refreshed = (server, count) => server.find(server.requests, () => refreshes(server).length >= count, 'refresh');
const textDocument = { uri: sourceUri() };
const hints = (server, range = everything) => server.request('textDocument/inlayHint', { textDocument, range });

/** Hints, once there are some. */
async function someHints(server) {
  for (let count = 1; ; count++) {
    await refreshed(server, count);
    const found = await hints(server);
    if (found.length > 2) return found;
  }
}

test('hints at the ends of lines, asked for again at most once a second', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  assert.equal((await attach(server, target.pid)).pid, target.pid);
  const found = await someHints(server);
  const lines = sourceText().split('\n');
  for (const hint of found) assert.equal(hint.position.character, lines[hint.position.line].length);
  const [first] = found;
  const one = await hints(server, { start: { line: first.position.line, character: 0 }, end: { line: first.position.line, character: 99 } });
  assert.deepEqual(one.map((hint) => hint.position.line), [first.position.line]);
  assert.deepEqual(await server.request('textDocument/inlayHint', { textDocument: { uri: 'file:///none.rs' }, range: everything }), null);

  await refreshed(server, 3);
  const times = refreshes(server).map((request) => request.at);
  for (let i = 1; i < times.length; i++) assert.ok(times[i] - times[i - 1] > 800, `${times[i] - times[i - 1]} ms`);
  const shown = await server.notification('window/showMessage', (p) => p.message.includes('profiling'));
  assert.equal(shown.params.type, 3);

  await server.request('workspace/executeCommand', { command: 'rsprof.reset' });
  await server.request('workspace/executeCommand', { command: 'rsprof.detach' });
  assert.deepEqual(await hints(server), []);
}));

test('hovers in Markdown or plain text', async (t) => {
  const target = startTarget(t);
  for (const [contentFormat, kind] of [[['markdown', 'plaintext'], 'markdown'], [undefined, 'plaintext']])
    await withServer(t, async (server) => {
      await attach(server, target.pid);
      const [hint] = await someHints(server);
      const hover = await server.request('textDocument/hover', { textDocument, position: { line: hint.position.line, character: 4 } });
      assert.equal(hover.contents.kind, kind);
      assert.match(hover.contents.value, /service::\w+/);
      assert.match(hover.contents.value, /CPU: .*% self|Heap: /);
      assert.equal(await server.request('textDocument/hover', { textDocument, position: { line: 0, character: 0 } }), null);
    }, { ...refreshing, textDocument: { hover: { contentFormat } } });
});

test('lenses on functions, when wanted', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await attach(server, target.pid);
  await someHints(server);
  const fetchLenses = () => server.request('textDocument/codeLens', { textDocument });
  const lenses = await fetchLenses();
  const lines = sourceText().split('\n');
  assert.ok(lenses.length > 0);
  for (const lens of lenses) {
    assert.match(lines[lens.range.start.line], /fn \w+/);
    assert.match(lens.command.title, /^rsprof: /);
  }
  const lensRefreshes = () => server.requests.filter((request) => request.method === 'workspace/codeLens/refresh').length;
  assert.ok(lensRefreshes() > 0);
  for (const codeLens of [false, true]) {
    const before = lensRefreshes();
    await server.notify('workspace/didChangeConfiguration', { settings: { rsprof: { codeLens } } });
    assert.equal((await fetchLenses()).length > 0, codeLens);
    assert.ok(lensRefreshes() > before);
  }
}, refreshing, { initializationOptions: { codeLens: true } }));

test('diagnostics of severity hint, when wanted', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await attach(server, target.pid);
  const { params } = await server.notification('textDocument/publishDiagnostics', (p) => p.diagnostics.length > 0);
  assert.equal(params.uri, sourceUri());
  await server.notify('textDocument/didClose', { textDocument });
  await server.request('workspace/executeCommand', { command: 'rsprof.detach' });
  assert.deepEqual(server.notifications.filter((m) => m.method === 'textDocument/publishDiagnostics').at(-1).params.diagnostics, []);
}, refreshing, { initializationOptions: { diagnosticsMinShare: 0.05 } }));

test('settings change through didChangeConfiguration', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await attach(server, target.pid);
  await someHints(server);
  await server.notify('workspace/didChangeConfiguration', { settings: { rsprof: { view: { metric: 'cpu', minShare: 2 } } } });
  const { params } = await server.notification('window/showMessage', (p) => p.type === 1);
  assert.match(params.message, /minShare/);
  await server.notify('workspace/didChangeConfiguration', { settings: { rsprof: { view: { metric: 'heap' } } } });
  for (const hint of await hints(server)) assert.match(hint.label, /B$/);
}));

test('hints count in the encoding that was agreed on', async (t) => {
  const target = startTarget(t);
  for (const [encoding, units] of [['utf-8', 6], ['utf-16', 3], ['utf-32', 2]])
    await withServer(t, async (server) => {
      await attach(server, target.pid);
      const [hint] = await someHints(server);
      const { line, character } = hint.position;
      // The same edit twice: the second lands right only if the first was counted right.
      const edit = (at, text) => ({ range: { start: { line, character: at }, end: { line, character: at } }, text });
      await server.notify('textDocument/didChange', { textDocument: { uri: sourceUri(), version: 2 },
        contentChanges: [edit(character, 'ä😀'), edit(character + units, '\n// next')] });
      await refreshed(server, refreshes(server).length + 1);
      const after = (await hints(server)).find((item) => item.position.line === line);
      assert.equal(after?.position.character, character + units);
    }, { ...refreshing, general: { positionEncodings: [encoding] } });
});

test('attach without an argument asks which process', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  let choices;
  server.answers['window/showMessageRequest'] = ({ actions }) => {
    choices = actions;
    return actions.find((action) => action.title.endsWith(`(${target.pid})`)) ?? null;
  };
  assert.equal(await server.request('workspace/executeCommand', { command: 'rsprof.attach' }), null);
  await server.find(server.requests, (request) => request.method === 'window/showMessageRequest', 'question');
  assert.ok(choices.length <= 8);
  if (choices.some((choice) => choice.title.endsWith(`(${target.pid})`)))
    await server.notification('window/showMessage', (p) => p.message.includes(`${target.pid}`));
}));

test('a failed attach by itself says what to do', (t) => withServer(t, async (server) => {
  const { params } = await server.notification('window/showMessage', (p) => p.type === 1);
  assert.match(params.message, /process/);
}, refreshing, { initializationOptions: { attach: 4194304 } }));

test('attaches by itself to the newest workspace build, and to the next one', async (t) => {
  const folder = temporaryFolder(t);
  const binary = (name) => path.join(folder, name);
  const place = (name, time) => {
    execFileSync('cp', [process.env.RSPROF_TARGET_BIN, binary(name)]);
    fs.utimesSync(binary(name), time, time);
  };
  place('older', 2000);
  place('newer', 3000);
  const [older, newer] = [startTarget(t, binary('older')), startTarget(t, binary('newer'))];
  const profiling = (pid) => (p) => p.message.includes('profiling') && p.message.includes(`(${pid})`);
  await withServer(t, async (server) => {
    await server.notification('window/showMessage', profiling(newer.pid));
    newer.child.kill('SIGKILL');
    await server.notification('window/showMessage', (p) => p.message.includes('has ended'));
    await server.notification('window/showMessage', profiling(older.pid), 20000);
  }, refreshing, { workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'build' }],
    initializationOptions: { attach: 'newest workspace build' } });
});
