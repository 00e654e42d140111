// What arrives as bytes: broken framing ends the server with a reason and code 1, anything else it survives.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { StreamMessageReader } from 'vscode-languageserver-protocol/node';
import { checkMessage } from './lib/check.mjs';
import { binary } from './lib/server.mjs';

const frame = (body) => Buffer.concat([Buffer.from(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`), Buffer.from(body)]);
const call = (id, method, params = {}) => frame(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
const tell = (method, params = {}) => frame(JSON.stringify({ jsonrpc: '2.0', method, params }));
const start = call(0, 'initialize', { processId: null, rootUri: null, capabilities: {} });
const end = [call('end', 'shutdown'), tell('exit')];

/** Runs a server on exactly these bytes. */
async function run(...pieces) {
  const child = spawn(binary(), ['serve'], { stdio: 'pipe' });
  const messages = [];
  const sent = new Map([[0, 'initialize'], ['end', 'shutdown']]);
  let stderr = '';
  child.stderr.on('data', (chunk) => { stderr += chunk; });
  child.stdin.on('error', () => {});
  new StreamMessageReader(child.stdout).listen((message) => {
    assert.deepEqual(checkMessage(message, sent), []);
    messages.push(message);
  });
  child.stdin.end(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  const [code] = await once(child, 'close');
  return { code, messages, stderr, answer: (id) => messages.find((message) => message.id === id) };
}

async function assertBroken(bytes, reason) {
  const { code, stderr } = await run(start, bytes);
  assert.match(stderr, reason);
  assert.equal(code, 1);
}

test('an orderly conversation ends with code 0', async () => {
  const { code, messages, stderr } = await run(start, tell('initialized'), ...end);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.deepEqual(messages.map((message) => message.id), [0, 'end']);
});

test('broken framing says why on stderr and ends with code 1', async () => {
  await assertBroken('GET / HTTP/1.1\r\n\r\n', /header line/);
  await assertBroken('Content-Type: x\r\n\r\n{}', /no Content-Length/);
  await assertBroken('Content-Length: 67108865\r\n\r\n', /64 MiB/);
  await assertBroken('Content-Length: 99999999999999999999\r\n\r\n', /64 MiB/);
  await assertBroken('Content-Length: -5\r\n\r\n', /not a number/);
  await assertBroken('Content-Length: twelve\r\n\r\n', /not a number/);
  await assertBroken('Content-Length: 100\r\n\r\n{"jsonrpc"', /middle of a message/);
  await assertBroken('Content-Le', /middle of a message/);
});

test('end of file without exit is code 0 after shutdown only', async () => {
  assert.equal((await run(start)).code, 1);
  assert.equal((await run(start, end[0])).code, 0);
  assert.equal((await run(start, tell('exit'))).code, 1);
  assert.equal((await run()).code, 1);
});

test('what is not JSON is answered with ParseError, and the server lives on', async () => {
  const bodies = ['{', '', 'null null', '['.repeat(100000), Buffer.from([0x22, 0xff, 0xfe, 0x22]), Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])];
  const { code, messages } = await run(start, ...bodies.map(frame), ...end);
  const errors = messages.filter((message) => message.error);
  assert.deepEqual(errors.map((message) => [message.id, message.error.code]), bodies.map(() => [null, -32700]));
  assert.equal(code, 0);
});

test('what is JSON but no request is answered with InvalidRequest', async () => {
  const bodies = ['[]', '[{"jsonrpc":"2.0","id":9,"method":"shutdown"}]', '7', '"x"', 'null', '{}', '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","id":null,"method":"shutdown"}', '{"jsonrpc":"2.0","id":[1],"method":"shutdown"}',
    '{"jsonrpc":"2.0","id":1e400,"method":"shutdown"}', '{"id":1,"method":"shutdown"}', '{"jsonrpc":"2.0","method":5}'];
  const { code, messages } = await run(start, ...bodies.map(frame), ...end);
  assert.deepEqual(messages.filter((message) => message.error).map((message) => message.error.code), bodies.map(() => -32600));
  assert.equal(code, 0);
});

test('ids come back as they were', async () => {
  const ids = ['1', 1, -1, 2 ** 53, 0.5, '', 'ä😀"\\'];
  const { messages } = await run(start, ...ids.map((id) => call(id, 'no/such')), ...end);
  assert.deepEqual(messages.filter((message) => message.error?.code === -32601).map((message) => message.id), ids);
});

test('strings with escapes that no text can hold do no harm', async () => {
  const open = String.raw`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":` +
    String.raw`{"uri":"file:///nowhere/\ud800.rs","languageId":"rust","version":1,"text":"a\u0000b\udfff"}}}`;
  const { code, stderr } = await run(start, frame(open), ...end);
  assert.equal(code, 0);
  assert.equal(stderr, '');
});

test('unknown responses and notifications are ignored', async () => {
  const { code, messages } = await run(start, frame('{"jsonrpc":"2.0","id":77,"result":{}}'), frame('{"jsonrpc":"2.0","id":"x","error":{}}'),
    tell('$/unknown'), tell('textDocument/didChange', { textDocument: { uri: 7 } }), tell('textDocument/didOpen', null),
    tell('$/cancelRequest', { id: 0 }), tell('workspace/didChangeConfiguration', { settings: [] }),
    tell('workspace/didChangeWorkspaceFolders', { event: { added: [{}], removed: 7 } }), ...end);
  assert.equal(code, 0);
  assert.equal(messages.filter((message) => message.error).length, 0);
});

test('one byte at a time is read as well as all at once', async () => {
  const child = spawn(binary(), ['serve'], { stdio: 'pipe' });
  const bytes = Buffer.concat([start, call(1, 'no/such'), ...end]);
  let answers = '';
  child.stdout.on('data', (chunk) => { answers += chunk; });
  for (let i = 0; i < bytes.length; i++) {
    child.stdin.write(bytes.subarray(i, i + 1));
    if (i % 16 === 0) await new Promise(setImmediate);
  }
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.match(answers, /-32601/);
});
