// Life cycle, errors and robustness, without a process to profile.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancellationTokenSource } from 'vscode-languageserver-protocol/node';
import { annotating, binary, Server } from './lib/server.mjs';

async function withServer(t, run, args) {
  const server = new Server(args);
  t.after(() => server.kill());
  await run(server);
  assert.deepEqual(server.problems, []);
}

const rejectsWith = (code, pattern) => (error) => {
  assert.equal(error.code, code, error.message);
  assert.match(error.message, pattern);
  assert.ok(error.data.hint.length > 10);
  return true;
};

test('an annotating client is offered no features that would show twice', (t) => withServer(t, async (server) => {
  const { capabilities, serverInfo } = await server.initialize(annotating);
  assert.equal(serverInfo.name, 'rsprof');
  assert.equal(capabilities.experimental.rsprof.protocol, 1);
  assert.equal(capabilities.textDocumentSync.change, 2);
  for (const feature of ['inlayHintProvider', 'hoverProvider', 'codeLensProvider', 'executeCommandProvider'])
    assert.equal(capabilities[feature], undefined);
  assert.equal(await server.stop(), 0);
}));

test('a standard client is offered hints, hovers, lenses and commands', (t) => withServer(t, async (server) => {
  const { capabilities } = await server.initialize({});
  assert.deepEqual([capabilities.inlayHintProvider, capabilities.hoverProvider, capabilities.codeLensProvider], [true, true, {}]);
  assert.deepEqual(capabilities.executeCommandProvider.commands, ['rsprof.attach', 'rsprof.detach', 'rsprof.reset']);
}));

test('the position encoding is the first of the client that is known', async (t) => {
  const cases = [[undefined, 'utf-16'], [[], 'utf-16'], [['utf-8', 'utf-16'], 'utf-8'], [['utf-7', 'utf-32'], 'utf-32'], ['utf-8', 'utf-16']];
  for (const [positionEncodings, expected] of cases)
    await withServer(t, async (server) => {
      const { capabilities } = await server.initialize({ general: { positionEncodings } });
      assert.equal(capabilities.positionEncoding, expected);
    });
});

test('requests before initialize, twice, and after shutdown', (t) => withServer(t, async (server) => {
  const initialize = { processId: null, rootUri: null, capabilities: {} };
  await assert.rejects(server.request('rsprof/status', {}), rejectsWith(-32002, /not initialized/));
  await assert.rejects(server.request('initialize', { processId: null }), rejectsWith(-32602, /capabilities/));
  await server.request('initialize', initialize);
  await assert.rejects(server.request('initialize', initialize), rejectsWith(-32600, /already/));
  await server.request('shutdown');
  await assert.rejects(server.request('rsprof/listProcesses', {}), rejectsWith(-32600, /shutting down/));
  await server.notify('exit');
  assert.equal(await server.exited, 0);
}));

test('options of initialize are checked by name', async (t) => {
  const wrong = [[{ cpuFreqHz: 0 }, /cpuFreqHz/], [{ heap: 'all' }, /heap/], [{ heapIntervalBytes: -1 }, /heapIntervalBytes/],
    [{ windowSec: '10' }, /windowSec/], [{ sourceMap: ['none'] }, /sourceMap/], [{ sourceMap: 'a=b' }, /sourceMap/],
    [{ view: { metric: 'gpu' } }, /metric/], [{ view: { minShare: 2 } }, /minShare/], [{ attach: 'any' }, /attach/],
    [{ codeLens: 1 }, /codeLens/], [7, /object/]];
  await withServer(t, async (server) => {
    for (const [initializationOptions, pattern] of wrong)
      await assert.rejects(
        server.request('initialize', { processId: null, rootUri: null, capabilities: {}, initializationOptions }), rejectsWith(-32602, pattern));
    const all = { cpuFreqHz: 99, heap: 'off', heapIntervalBytes: 0, windowSec: 5, sourceMap: ['/a=/b'], view: { metric: 'cpu', minShare: 0.1 } };
    await server.initialize({}, { initializationOptions: all });
  });
});

test('wrong parameters are named, unknown methods answered', (t) => withServer(t, async (server) => {
  await server.initialize(annotating);
  const wrong = [['rsprof/attach', {}, /'pid' is missing/], ['rsprof/attach', { pid: '1' }, /'pid'.*"1"/], ['rsprof/attach', { pid: 0 }, /'pid'/],
    ['rsprof/attach', { pid: 1.5 }, /'pid'/], ['rsprof/attach', { pid: 1e30 }, /'pid'/], ['rsprof/attach', { pid: 1, heap: 1 }, /'heap'/],
    ['rsprof/listProcesses', { all: 1 }, /'all'/], ['rsprof/setView', { metric: 'x' }, /'metric'/], ['rsprof/hotLines', { limit: 0 }, /'limit'/],
    ['rsprof/lineDetails', { uri: 1, line: 1 }, /'uri'/], ['rsprof/lineDetails', { uri: 'x', line: -1 }, /'line'/],
    ['rsprof/snapshot', { format: 'xml' }, /'format'/], ['textDocument/hover', { textDocument: { uri: 'x' } }, /'position'/],
    ['textDocument/inlayHint', { textDocument: { uri: 'x' } }, /'range'/], ['workspace/executeCommand', { command: 'format' }, /rsprof.attach/],
    ['workspace/executeCommand', { command: 'rsprof.attach', arguments: ['x'] }, /process id/]];
  for (const [method, params, pattern] of wrong) await assert.rejects(server.request(method, params), rejectsWith(-32602, pattern));
  await assert.rejects(server.request('rsprof/nothing', {}), rejectsWith(-32601, /rsprof\/nothing/));
  assert.equal(await server.stop(), 0);
}));

test('without a process: NotAttached, or nothing', (t) => withServer(t, async (server) => {
  await server.initialize(annotating);
  for (const method of ['rsprof/hotLines', 'rsprof/reset', 'rsprof/snapshot'])
    await assert.rejects(server.request(method, {}), rejectsWith(1005, /no process/));
  assert.equal(await server.request('rsprof/lineDetails', { uri: 'file:///a.rs', line: 0 }), null);
  assert.equal(await server.request('rsprof/detach', {}), null);
  assert.equal(await server.request('rsprof/setView', { metric: 'heap' }), null);
}));

test('a process that does not exist, one that is not Rust', (t) => withServer(t, async (server) => {
  const sleeper = spawn('sleep', ['60']);
  t.after(() => sleeper.kill('SIGKILL'));
  await server.initialize(annotating);
  await assert.rejects(server.request('rsprof/attach', { pid: 4194304 }), rejectsWith(1001, /./));
  await assert.rejects(server.request('rsprof/attach', { pid: sleeper.pid }), rejectsWith(1003, /./));
  assert.equal(await server.stop(), 0);
}));

test('a cancelled request is answered so', (t) => withServer(t, async (server) => {
  await server.initialize(annotating);
  const source = new CancellationTokenSource();
  const listing = server.request('rsprof/listProcesses', {}, source.token);
  source.cancel();
  await assert.rejects(listing, rejectsWith(-32800, /cancelled/));
  assert.equal(await server.stop(), 0);
}));

test('traces what it receives while told to', (t) => withServer(t, async (server) => {
  await server.initialize(annotating);
  await server.notify('$/setTrace', { value: 'verbose' });
  await server.request('rsprof/setView', { metric: 'cpu' });
  const { params } = await server.notification('$/logTrace', (p) => p.message.includes('rsprof/setView'));
  assert.equal(params.verbose, '{"metric":"cpu"}');
  await server.notify('$/setTrace', { value: 'off' });
  await server.request('rsprof/setView', { metric: 'heap' });
  assert.equal(server.notifications.filter((m) => m.method === '$/logTrace' && m.params.verbose?.includes('heap')).length, 0);
}));

test('ten thousand requests before initialize are all answered', (t) => withServer(t, async (server) => {
  const answers = await Promise.allSettled(Array.from({ length: 10000 }, () => server.request('rsprof/listProcesses', {})));
  assert.ok(answers.every((answer) => answer.reason?.code === -32002));
  await server.initialize(annotating);
  assert.equal(await server.stop(), 0);
}));

function residentKb(pid) {
  return Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);
}

test('a client that asks and never reads stops itself, and gets every answer later', async (t) => {
  const child = spawn(binary(), ['serve'], { stdio: 'pipe' });
  t.after(() => child.kill('SIGKILL'));
  const frame = (message) => { const body = JSON.stringify(message); return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`; };
  const id = (i) => `${i}-${'x'.repeat(2000)}`;
  const count = 20000; // 40 MB of questions, and as much of answers
  child.stdin.write(frame({ jsonrpc: '2.0', id: 'start', method: 'initialize', params: { processId: null, capabilities: {} } }));
  for (let i = 0; i < count; i++) child.stdin.write(frame({ jsonrpc: '2.0', id: id(i), method: 'no/such' }));
  await sleep(1500);
  assert.ok(child.stdin.writableLength > 20e6, 'the server stopped reading');
  assert.ok(residentKb(child.pid) < 60000, `${residentKb(child.pid)} kB`);
  let read = '';
  let answers = 0;
  const all = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      read = read.slice(-12) + chunk; // one less than what is counted
      answers += read.split('"code":-32601').length - 1;
      if (answers >= count) resolve();
    });
  });
  await all;
});

test('ends when the process of the client does', async (t) => {
  const parent = spawn('sleep', ['60']);
  t.after(() => parent.kill('SIGKILL'));
  await withServer(t, async (server) => {
    await server.initialize(annotating, { processId: parent.pid });
    parent.kill('SIGKILL');
    assert.equal(await server.exited, 1);
    assert.match(server.stderr, /has ended/);
  });
});

test('a client process that is gone already ends it at once', async (t) => {
  const gone = spawn('true');
  await once(gone, 'exit');
  await withServer(t, async (server) => {
    await server.initialize(annotating, { processId: gone.pid }).catch(() => {});
    assert.equal(await server.exited, 1);
  });
});

test('a signal ends it in order', (t) => withServer(t, async (server) => {
  await server.initialize(annotating);
  server.child.kill('SIGTERM');
  assert.equal(await server.exited, 1);
}));

test('flags are checked, and --stdio is what it does anyway', async (t) => {
  const usage = new Server(['--heap', 'all']);
  t.after(() => usage.kill());
  assert.equal(await usage.exited, 2);
  assert.match(usage.stderr, /heap/);
  await withServer(t, async (server) => {
    await server.initialize(annotating);
    assert.equal(await server.stop(), 0);
  }, ['--stdio', '--cpu-freq', '99', '--heap', 'off', '--window', '5', '--source-map', '/a=/b']);
});
