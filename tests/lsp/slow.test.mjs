// A client that stops reading for a while: state is replaced by newer state, answers are kept, the server stays small.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { annotating, Server } from './lib/server.mjs';
import { document, startTarget, workspace } from './lib/target.mjs';

const residentKb = (pid) => Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

test('a client that does not read for five seconds', async (t) => {
  const server = new Server();
  t.after(() => server.kill());
  const target = startTarget(t);
  await server.initialize(annotating, workspace());
  await server.notify('textDocument/didOpen', document());
  await server.request('rsprof/attach', { pid: target.pid });
  await server.notification('rsprof/annotations', (p) => p.lines.length > 2);

  server.child.stdout.pause();
  const before = server.notifications.length;
  const count = 400; // far more than the pipe and the outbox hold
  const answers = Promise.all(Array.from({ length: count }, () => server.request('rsprof/snapshot', {})));
  await sleep(5000);
  const resident = residentKb(server.child.pid);
  server.child.stdout.resume();
  assert.equal((await answers).length, count);
  await server.notification('rsprof/status', () => server.notifications.length > before + 2);
  const late = server.notifications.slice(before);
  const statuses = late.filter((m) => m.method === 'rsprof/status' && m.at - late[0].at < 500);
  assert.ok(statuses.length <= 3, `${statuses.length} statuses at once`);
  assert.ok(resident < 100_000, `${resident} kB`);
  assert.deepEqual(server.problems, []);
  assert.equal(await server.stop(), 0);
});
