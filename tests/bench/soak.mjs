// Hours of use in one process: an editor that edits, asks, detaches and attaches again, on a target whose threads, libraries and
// heap change all the time (tests/programs/soak.rs). Then attachments in quick succession. Prints a row a minute, and at its end
// what has to hold: every request answered, no message out of shape, memory flat, the target unharmed.
// usage: soak.mjs [MINUTES [CYCLES]], 120 and 1000 by default; 5 100 is the short form. Needs RSPROF and PROGRAMS (README).
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { annotating, Server } from '../lsp/lib/server.mjs';

const [minutes = 120, cycles = 1000] = process.argv.slice(2).map(Number);
const programs = fileURLToPath(new URL('../programs/', import.meta.url));
const source = path.join(programs, 'soak.rs');
const uri = pathToFileURL(source).href;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rsprof-soak-'));
const failures = [];

function libraries(count) {
  const first = path.join(folder, 'library0.so');
  execFileSync('rustc', ['--edition', '2021', '-O', '-g', '--crate-type', 'cdylib', '--cfg', 'library', '-o', first,
    path.join(programs, 'shape.rs')]);
  return Array.from({ length: count }, (_, i) => {
    const copy = path.join(folder, `library${i}.so`);
    if (i) fs.copyFileSync(first, copy);
    return copy;
  });
}

const field = (pid, file, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(fs.readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1] ?? 0);
const children = (pid) => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
/** What it holds for itself, in MB: counters that the kernel maps are the same from the start. */
const memory = (pid) => (field(pid, 'smaps_rollup', 'Pss_Anon')) / 1024;

class Editor {
  asked = 0;
  attached = 0;
  version = 1;

  constructor(server, target) {
    Object.assign(this, { server, target });
  }

  async ask(method, params) {
    this.asked++;
    try {
      return await Promise.race([this.server.request(method, params),
        sleep(60000, undefined, { ref: false }).then(() => { throw new Error('no answer'); })]);
    } catch (error) {
      failures.push(`${method}: ${error.message} ${JSON.stringify(error.data ?? "")}`);
      return null;
    }
  }

  async attach() {
    await this.ask('rsprof/attach', { pid: this.target.pid });
    this.attached++;
  }

  async edit() {
    const line = Math.floor(Math.random() * 40);
    const added = this.version % 2 === 1;
    const range = { start: { line, character: 0 }, end: { line: line + (added ? 0 : 1), character: 0 } };
    await this.server.notify('textDocument/didChange',
      { textDocument: { uri, version: ++this.version }, contentChanges: [{ range, text: added ? '// soak\n' : '' }] });
  }

  async look() {
    const hot = await this.ask('rsprof/hotLines', { limit: 20 });
    for (const line of hot?.lines.slice(0, 3) ?? []) await this.ask('rsprof/lineDetails', { uri: line.uri, line: line.line });
    await this.ask('rsprof/listProcesses', {});
  }

  status() {
    const last = this.server.notifications.filter((m) => m.method === 'rsprof/status').at(-1);
    this.server.notifications.splice(0, this.server.notifications.length - 50);
    return last?.params;
  }
}

const row = (...cells) => console.log(cells.map((cell, i) => String(cell).padStart(i ? 9 : 7)).join(''));

async function soak(editor) {
  row('minute', 'requests', 'attached', 'rsprof', 'child', 'samples', 'lost', 'modules', 'overhead');
  const sizes = [];
  for (let minute = 1; minute <= minutes; minute++) {
    for (const end = Date.now() + 60000; Date.now() < end;) {
      for (let i = 0; i < 15; i++) {
        await editor.edit();
        await editor.look();
        await sleep(1000);
      }
      await editor.ask('rsprof/detach', {});
      await editor.attach();
    }
    await sleep(2000);
    const pid = editor.server.child.pid;
    const status = editor.status();
    const child = children(pid).reduce((sum, each) => sum + memory(each), 0);
    sizes.push(memory(pid));
    row(minute, editor.asked, editor.attached, sizes.at(-1).toFixed(2), child.toFixed(2), status.cpu.samples,
      status.cpu.lost + status.heap.lost, status.symbols.modules, `${(status.overhead.fraction * 100).toFixed(2)}%`);
  }
  const growth = sizes.at(-1) - sizes[Math.min(1, sizes.length - 1)];
  console.log(`growth after the second minute: ${growth.toFixed(2)} MB`);
  if (growth >= 2) failures.push('memory grew');
}

async function attachOverAndOver(editor) {
  const pid = editor.server.child.pid;
  const before = memory(pid);
  const descriptors = () => fs.readdirSync(`/proc/${pid}/fd`).length;
  const open = descriptors();
  const begin = Date.now();
  for (let cycle = 0; cycle < cycles; cycle++) {
    await editor.attach();
    await editor.ask('rsprof/detach', {});
    editor.status();
  }
  await sleep(1000);
  const growth = memory(pid) - before;
  console.log(`${cycles} attachments, ${((Date.now() - begin) / cycles).toFixed(0)} ms each: memory ${growth.toFixed(2)} MB more, ` +
    `descriptors ${open} → ${descriptors()}`);
  if (growth >= 2) failures.push('memory grew with attachments');
  if (descriptors() > open) failures.push('descriptors stay open');
}

const target = spawn(path.join(process.env.PROGRAMS, 'soak'), [minutes * 60 + cycles * 5 + 60, ...libraries(8)], { stdio: 'inherit' });
const server = new Server();
try {
  await sleep(1000);
  await server.initialize(annotating, { workspaceFolders: [{ uri: pathToFileURL(programs).href, name: 'programs' }] });
  await server.notify('textDocument/didOpen',
    { textDocument: { uri, languageId: 'rust', version: 1, text: fs.readFileSync(source, 'utf8') } });
  const editor = new Editor(server, target);
  await editor.attach();
  if (minutes) await soak(editor);
  await editor.ask('rsprof/detach', {});
  await attachOverAndOver(editor);
  failures.push(...server.problems.slice(0, 10));
  if (target.exitCode !== null) failures.push(`the target ended with ${target.exitCode}`);
  if (await server.stop()) failures.push(`rsprof ended with ${await server.exited}`);
} finally {
  server.kill();
  target.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
}
failures.forEach((failure) => console.log(`FAILED: ${failure}`));
process.exitCode = failures.length ? 1 : 0;
