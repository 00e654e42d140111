// A real Rust process under a client that draws annotations itself.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { annotating, Server } from './lib/server.mjs';
import { document, source, sourceText, sourceUri, startTarget, temporaryFolder, workspace } from './lib/target.mjs';

async function withServer(t, run, capabilities = annotating, more = {}) {
  const server = new Server();
  t.after(() => server.kill());
  await server.initialize(capabilities, { ...workspace(), ...more });
  await run(server);
  assert.deepEqual(server.problems, []);
}

const annotated = (server, matches = (p) => p.lines.length > 2) => server.notification('rsprof/annotations', matches);
const latest = (server, method) => server.notifications.filter((m) => m.method === method).at(-1).params;
const state = (server, wanted) => server.notification('rsprof/status', (p) => p.state === wanted);

/** 0-based lines of the source whose text has all of these. */
const linesWith = (...words) =>
  sourceText().split('\n').flatMap((line, i) => (words.every((word) => line.includes(word)) ? [i] : []));

test('attach, annotations, hot lines, details, snapshot, detach', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await server.notify('textDocument/didOpen', document());
  const { processes } = await server.request('rsprof/listProcesses', {});
  const listed = processes.find((process) => process.pid === target.pid);
  assert.deepEqual([listed.rust, listed.debugInfo, listed.attachable], [true, 'lines', true]);

  assert.equal((await server.request('rsprof/attach', { pid: target.pid })).pid, target.pid);
  const { params } = await annotated(server);
  assert.deepEqual([params.uri, params.version, params.stale], [sourceUri(), 1, false]);
  assert.ok(params.lines.some((line) => line.heat === 1));
  assert.ok(params.lines.every((line) => /\d%|B$/.test(line.label)));
  const code = sourceText().split('\n');
  assert.ok(params.lines.every((line) => code[line.line].trim().length > 0));

  await annotated(server, (p) => p.lines.filter((line) => line.cpu.self > 0).length > 3);
  const { lines } = await server.request('rsprof/hotLines', { limit: 3 });
  assert.equal(lines.length, 3);
  assert.ok(lines[0].cpu.self >= lines[1].cpu.self && lines[1].cpu.self >= lines[2].cpu.self);
  assert.equal(lines[0].heat, 1);
  assert.match(lines[0].function, /^service::/);

  const details = await server.request('rsprof/lineDetails', { uri: lines[0].uri, line: lines[0].line });
  assert.equal(details.function, lines[0].function);
  assert.ok(details.cpu.cores > 0 && details.cpu.kernelShare <= 1);
  assert.ok(details.callers.some((caller) => caller.function === 'service::main' && caller.uri === sourceUri()));
  assert.equal(await server.request('rsprof/lineDetails', { uri: sourceUri(), line: 0 }), null);

  const snapshot = await server.request('rsprof/snapshot', {});
  assert.equal(snapshot.status.state, 'running');
  assert.ok(snapshot.lines.length >= params.lines.length);
  assert.ok(snapshot.lines.some((line) => line.file === source()));

  await server.request('rsprof/detach', {});
  await state(server, 'detached');
  assert.deepEqual(latest(server, 'rsprof/annotations').lines, []);
  assert.equal(target.child.exitCode, null);
  assert.equal(await server.stop(), 0);
}, { ...annotating, window: { workDoneProgress: true } }));

test('progress begins and ends', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await server.request('rsprof/attach', { pid: target.pid });
  await server.notification('rsprof/status', (p) => p.symbols.firstAnnotationMs > 0);
  const created = server.requests.filter((request) => request.method === 'window/workDoneProgress/create').length;
  assert.ok(created <= 1);
  if (created) {
    assert.equal(server.progress[0].kind, 'begin');
    assert.ok(server.progress.filter((value) => value.kind === 'begin').length === 1);
  }
  await server.request('rsprof/detach', {});
  assert.equal(server.progress.at(-1)?.kind ?? 'end', 'end');
}, { ...annotating, window: { workDoneProgress: true } }));

test('edits move annotations, deleted lines lose theirs, undo brings them back', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await server.notify('textDocument/didOpen', document());
  await server.request('rsprof/attach', { pid: target.pid });
  const [hot] = linesWith('total +=');
  const text = sourceText().split('\n')[hot];
  const change = (version, ...contentChanges) =>
    server.notify('textDocument/didChange', { textDocument: { uri: sourceUri(), version }, contentChanges });
  const at = (line, character, endLine = line, endCharacter = character) =>
    ({ start: { line, character }, end: { line: endLine, character: endCharacter } });
  const has = (line) => (p) => p.lines.some((item) => item.line === line && item.heat > 0.2);
  await annotated(server, has(hot));

  await change(2, { range: at(0, 0), text: '// one\n' }, { range: at(0, 0), text: '// two\n// three\n' });
  const moved = await annotated(server, (p) => p.version === 2 && has(hot + 3)(p));
  assert.equal(moved.params.stale, false);
  const details = await server.request('rsprof/lineDetails', { uri: sourceUri(), line: hot + 3 });
  assert.ok(details.cpu.self > 0);

  await change(3, { range: at(hot + 3, 0, hot + 4, 0), text: '' });
  await annotated(server, (p) => p.version === 3 && p.lines.length > 2 && !has(hot + 3)(p));
  const { lines } = await server.request('rsprof/hotLines', { limit: 100 });
  assert.ok(!lines.some((line) => line.uri === sourceUri() && line.line === hot + 3 && line.heat > 0.2));

  await change(4, { range: at(hot + 3, 0), text: `${text}\n` });
  await annotated(server, (p) => p.version === 4 && has(hot + 3)(p));

  await change(5, { text: sourceText() });
  await annotated(server, (p) => p.version === 5 && has(hot)(p));
}));

test('a source map that is set while the server runs counts from the next attach', async (t) => {
  const folder = temporaryFolder(t);
  const copy = path.join(folder, path.basename(source()));
  const uri = pathToFileURL(copy).href;
  fs.copyFileSync(source(), copy);
  await withServer(t, async (server) => {
    const target = startTarget(t);
    await server.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'rust', version: 1, text: sourceText() } });
    await server.notify('workspace/didChangeConfiguration', { settings: { rsprof: { sourceMap: ['none'] } } });
    const { params: refused } = await server.notification('window/showMessage', (p) => p.type === 1);
    assert.match(refused.message, /sourceMap/);
    await server.notify('workspace/didChangeConfiguration', { settings: { rsprof: { sourceMap: [`${path.dirname(source())}=${folder}`] } } });
    await server.request('rsprof/attach', { pid: target.pid });
    const { params } = await annotated(server);
    assert.equal(params.uri, uri);
  }, annotating, { workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'copy' }] });
});

test('a source map finds a file that moved; saving a change makes it stale', async (t) => {
  const folder = temporaryFolder(t);
  const copy = path.join(folder, path.basename(source()));
  const uri = pathToFileURL(copy).href;
  fs.copyFileSync(source(), copy);
  fs.utimesSync(copy, 1000, 1000);
  const options = { initializationOptions: { sourceMap: [`${path.dirname(source())}=${folder}`] },
    workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'copy' }] };
  await withServer(t, async (server) => {
    const target = startTarget(t);
    await server.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'rust', version: 1, text: sourceText() } });
    await server.request('rsprof/attach', { pid: target.pid });
    const { params } = await annotated(server);
    assert.deepEqual([params.uri, params.stale], [uri, false]);
    const hottest = params.lines.find((line) => line.heat === 1).line;

    const change = { range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: '// new\n' };
    await server.notify('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [change] });
    fs.writeFileSync(copy, `// new\n${sourceText()}`);
    await server.notify('textDocument/didSave', { textDocument: { uri } });
    const saved = await annotated(server, (p) => p.stale);
    assert.ok(saved.params.lines.some((line) => line.line === hottest + 1));
    await server.notification('rsprof/status', (p) => p.hints.some((hint) => hint.includes(copy) && hint.includes('build')));
  }, annotating, options);
});

test('a file that was touched is not stale where debug info has its MD5 sum', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'hot.c');
  const uri = pathToFileURL(file).href;
  const text = 'unsigned hot(unsigned x) {\n  for (int i = 0; i < 100000; i++)\n    x = x * 33 ^ x >> 3;\n  return x;\n}\n';
  fs.writeFileSync(file, text);
  fs.writeFileSync(path.join(folder, 'main.rs'), `use std::hint::black_box;
extern "C" { fn hot(x: u32) -> u32; }
fn main() { for _ in 0..1_000_000 { black_box(unsafe { hot(black_box(1)) }); } }`);
  const run = (command, ...args) => execFileSync(command, args, { cwd: folder, stdio: 'inherit' });
  run('clang', '-gdwarf-5', '-O1', '-c', 'hot.c');
  run('rustc', '-g', '-C', 'link-arg=hot.o', 'main.rs');
  fs.utimesSync(file, new Date(), new Date(Date.now() + 3600_000));
  const target = startTarget(t, path.join(folder, 'main'));
  await withServer(t, async (server) => {
    await server.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'c', version: 1, text } });
    await server.request('rsprof/attach', { pid: target.pid });
    await annotated(server, (p) => p.uri === uri && p.lines.length > 0 && !p.stale);
    fs.writeFileSync(file, `${text}// new\n`);
    await server.notify('textDocument/didSave', { textDocument: { uri } });
    await annotated(server, (p) => p.uri === uri && p.stale);
  }, annotating, { workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'mixed' }] });
});

test('a library that was built after the program that loads it is not stale', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'plugin.rs');
  const uri = pathToFileURL(file).href;
  const text = `#[no_mangle]\npub extern "C" fn hot() -> ! { let mut x = 1u64; loop { x = std::hint::black_box(x.wrapping_mul(33)); } }\n`;
  fs.writeFileSync(file, text);
  execFileSync('rustc', ['-g', '--crate-type', 'cdylib', file], { cwd: folder, stdio: 'inherit' });
  const target = spawn('python3', ['-c', `import ctypes; ctypes.CDLL('${folder}/libplugin.so').hot()`]);
  t.after(() => target.kill('SIGKILL'));
  const options = { workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'plugin' }] };
  await withServer(t, async (server) => {
    await server.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'rust', version: 1, text } });
    const isLoaded = () => fs.readFileSync(`/proc/${target.pid}/maps`, 'utf8').includes('libplugin');
    while (!isLoaded()) await new Promise((resolve) => setTimeout(resolve, 20));
    await server.request('rsprof/attach', { pid: target.pid });
    const { params } = await annotated(server, (p) => p.uri === uri && (p.stale || p.lines.length > 0));
    assert.deepEqual([params.stale, params.lines.length > 0], [false, true]);
  }, annotating, options);
});

test('the view decides what labels show', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await server.notify('textDocument/didOpen', document());
  await server.request('rsprof/attach', { pid: target.pid });
  await annotated(server, (p) => p.lines.some((line) => line.label.endsWith('B')));
  server.notifications.length = 0;
  await server.request('rsprof/setView', { metric: 'heap' });
  const [keeps] = linesWith('note.repeat');
  const heap = await annotated(server, (p) => p.lines.some((line) => line.line === keeps && /^ *[\d.]+ [KMGT]?i?B$/.test(line.label)));
  assert.ok(heap.params.lines.every((line) => line.heap.selfLiveBytes > 0 && line.label.endsWith('B')));
  await server.request('rsprof/setView', { metric: 'cpu', attribution: 'total', minShare: 0.2 });
  const cpu = await annotated(server, (p) => p.lines.length > 0 && p.lines.every((line) => /%$/.test(line.label)));
  assert.ok(cpu.params.lines.every((line) => line.cpu.total > 0.13));
  await server.request('rsprof/setView', { minShare: 1 });
  await annotated(server, (p) => p.lines.length <= 1);
}));

test('reset starts counts anew', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await server.request('rsprof/attach', { pid: target.pid });
  const { params } = await server.notification('rsprof/status', (p) => p.cpu.samples > 100);
  const before = server.notifications.length;
  await server.request('rsprof/reset', {});
  const later = () => server.notifications.slice(before).find((m) => m.method === 'rsprof/status' && m.params.cpu.samples > 0);
  await server.notification('rsprof/status', () => later() !== undefined);
  const snapshot = await server.request('rsprof/snapshot', {});
  assert.ok(snapshot.durationSec < 3, `${snapshot.durationSec}`);
  assert.ok(params.cpu.samples > 0);
}));

test('a target that ends is said, and its numbers stay', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await server.notify('textDocument/didOpen', document());
  await server.request('rsprof/attach', { pid: target.pid });
  await annotated(server);
  target.child.kill('SIGKILL');
  await state(server, 'lost');
  assert.ok((await server.request('rsprof/hotLines', {})).lines.length > 0);
  assert.ok(latest(server, 'rsprof/annotations').lines.length > 0);

  const next = startTarget(t);
  assert.equal((await server.request('rsprof/attach', { pid: next.pid })).pid, next.pid);
  await server.notification('rsprof/status', (p) => p.pid === next.pid && p.state === 'running');
  await server.request('rsprof/detach', {});
}));

test('attach detaches from another process first; two at a time are refused', (t) => withServer(t, async (server) => {
  const [one, two] = [startTarget(t), startTarget(t)];
  await server.request('rsprof/attach', { pid: one.pid });
  const answers = await Promise.allSettled([two, one].map(({ pid }) => server.request('rsprof/attach', { pid })));
  assert.equal(answers[0].value?.pid, two.pid);
  assert.ok(answers[1].value || answers[1].reason.code === 1007);
  await server.request('rsprof/detach', {});
}));

test('a binary without line information is refused with what to do', async (t) => {
  const stripped = path.join(temporaryFolder(t), 'stripped');
  execFileSync('strip', ['-o', stripped, process.env.RSPROF_TARGET_BIN]);
  await withServer(t, async (server) => {
    const target = startTarget(t, stripped);
    await assert.rejects(server.request('rsprof/attach', { pid: target.pid }), (error) => {
      assert.equal(error.code, 1004, error.message);
      assert.match(error.data.hint, /\[profile\.release\][\s\S]*debug = "line-tables-only"/);
      return true;
    });
    assert.equal(await server.stop(), 0);
  });
});

test('a server that is killed leaves the target running', (t) => withServer(t, async (server) => {
  const target = startTarget(t);
  await server.request('rsprof/attach', { pid: target.pid });
  server.child.kill('SIGKILL');
  await server.exited;
  await withServer(t, async (next) => {
    await next.request('rsprof/attach', { pid: target.pid });
    await next.request('rsprof/detach', {});
  });
  assert.equal(target.child.exitCode, null);
}));
