// What a person sees: Neovim over --embed with a screen attached, typed at, and its grid of cells read.
// usage: node grid.mjs NVIM      (NODE_MODULES: a folder in which `neovim` is installed)
import { createRequire } from 'node:module';
import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { attach } = createRequire(`${process.env.NODE_MODULES}/`)('neovim');
const plugin = fileURLToPath(new URL('../../editors/nvim', import.meta.url));
const fake = fileURLToPath(new URL('fake-server.mjs', import.meta.url));
// The client library takes the console away.
const say = text => process.stdout.write(`${text}\n`);
const width = 100, height = 20;

/** The screen: its cells, each with the id of its highlight, and how often its rows were drawn. */
class Screen {
  cells = Array.from({ length: height }, () => Array(width).fill({ text: ' ', highlight: 0 }));
  highlights = new Map();
  drawn = 0;

  redraw(events) {
    for (const [name, ...calls] of events) for (const call of calls) this[name]?.(...call);
  }
  grid_line(_grid, row, column, cells) {
    let highlight = 0;
    this.drawn++;
    for (const [text, id, times = 1] of cells) {
      highlight = id ?? highlight;
      for (let i = 0; i < times; i++) this.cells[row][column++] = { text, highlight };
    }
  }
  grid_clear() { for (const row of this.cells) row.fill({ text: ' ', highlight: 0 }); }
  grid_scroll(_grid, top, bottom, left, right, rows) {
    const old = this.cells.map(row => row.slice());
    for (let row = top; row < bottom; row++) {
      if (row + rows < top || row + rows >= bottom) continue;
      for (let column = left; column < right; column++) this.cells[row][column] = old[row + rows][column];
    }
  }
  hl_attr_define(id, attributes) { this.highlights.set(id, attributes); }

  row(number) { return this.cells[number].map(cell => cell.text).join('').trimEnd(); }
  text() { return this.cells.map((_, number) => this.row(number)).join('\n'); }
  rowOf(part) { return this.cells.findIndex((_, number) => this.row(number).includes(part)); }
  colourAt(part) {
    const row = this.rowOf(part);
    return this.highlights.get(this.cells[row][this.row(row).indexOf(part)].highlight)?.foreground;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'rsprof-grid-'));
mkdirSync(join(folder, 'src'));
writeFileSync(join(folder, 'Cargo.toml'), '[package]\n');
writeFileSync(join(folder, 'src/main.rs'), Array.from({ length: 8 }, (_, i) => `line ${i};\n`).join(''));

const child = spawn(process.argv[2], ['--embed', '-u', 'NONE', '--clean', '--cmd', `set rtp^=${plugin} noswapfile`], {
  cwd: folder, stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder },
});
const exited = new Promise(resolve => child.on('exit', resolve));
const nvim = attach({ proc: child });
const screen = new Screen();
nvim.on('notification', (method, events) => { if (method === 'redraw') screen.redraw(events); });

let failures = 0, count = 0;
const test = async (name, body) => {
  count++;
  try {
    await body();
    say(`ok ${count} - ${name}`);
  } catch (problem) {
    failures++;
    say(`not ok ${count} - ${name}\n${problem.stack}\n--- screen\n${screen.text()}\n---`);
  }
};
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const eventually = async (what, holds) => {
  for (let waited = 0; !holds(); waited += 10) {
    if (waited > 15000) throw new Error(`never happened: ${what}`);
    await sleep(10);
  }
};
/** Waits until nothing was drawn for a while; how often rows were drawn till then. */
const stillness = async () => {
  for (let drawn = -1; drawn !== screen.drawn;) {
    drawn = screen.drawn;
    await sleep(400);
  }
  return screen.drawn;
};
const same = (expected, got) => {
  if (JSON.stringify(expected) !== JSON.stringify(got)) throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
};
const type = keys => nvim.input(keys);
const hot = '38.2%  12.0 MiB';

await nvim.uiAttach(width, height, { ext_linegrid: true, rgb: true });
await nvim.command(`let g:rsprof = {'server': ['node', '${fake}']}`);
await nvim.command('runtime plugin/rsprof.lua');
await nvim.command('edit src/main.rs');

await test('a process chosen in the picker brings annotations, in one column, with bars', async () => {
  await type(':Rsprof attach<CR>');
  await eventually('the picker', () => screen.text().includes('4242  svc'));
  await type('1<CR>');
  await eventually('the annotation', () => screen.text().includes(hot));
  await type('<CR>');
  await eventually('the text below it', () => screen.rowOf('line 7') > 0);
  const rows = [2, 4, 5].map(line => screen.row(screen.rowOf(`line ${line}`)));
  same([42, 42, 42], rows.map(row => row.search(/\d+\.\d%/)));
  same(['█', '▌', '▏'], rows.map(row => row[0]));
});

await test('the hottest line has the colour that the scheme has for errors', async () => {
  const error = await nvim.lua("return vim.api.nvim_get_hl_by_name('DiagnosticError', true).foreground", []);
  same(error, screen.colourAt(hot));
});

await test('an update that changes nothing draws nothing', async () => {
  const push = `require('rsprof.compat').client_request_sync(require('rsprof.client').get(), 'fake/send', { messages = { {
    method = 'rsprof/annotations', params = require('rsprof.annotations').last } } }, 5000)`;
  await nvim.lua(`local a = require('rsprof.annotations'); local receive = a.receive
    a.receive = function(params) a.last = params; receive(params) end`, []);
  await type(':Rsprof attach 4242<CR>');
  await eventually('the second attach', () => screen.text().includes('attached to process 4242'));
  const before = await stillness();
  await nvim.lua(push, []);
  same(before, await stillness());
});

await test('a line opened above moves the annotation with its line', async () => {
  await type('ggOnew<Esc>');
  await eventually('the new line', () => screen.row(0).includes('new'));
  same(screen.rowOf('line 2'), screen.rowOf(hot));
});

await test('toggle hides everything, and shows it again', async () => {
  await type(':Rsprof toggle<CR>');
  await eventually('an empty margin', () => !screen.text().includes(hot) && !screen.text().includes('█'));
  await type(':Rsprof toggle<CR>');
  await eventually('the annotation', () => screen.text().includes(hot));
});

await test('a window that is too narrow for the column shows the text all the same', async () => {
  await type(':vsplit<CR>');
  await eventually('the annotation', () => screen.text().includes(hot));
  await type(':only<CR>');
});

await test('the details open in a window of their own', async () => {
  await type('u3G:Rsprof line<CR>');
  await eventually('the float', () => screen.text().includes('Called from') && screen.text().includes('0.74 cores'));
  await type('gg');
});

await test('detach leaves nothing on the screen', async () => {
  await type(':Rsprof detach<CR>');
  await eventually('an empty margin', () => !/%|MiB|█|▌|▏/.test(screen.text()));
});

nvim.command('qall!').catch(() => {}); // the connection ends before the answer comes
await exited;
rmSync(folder, { recursive: true, force: true });
say(`1..${count}`);
process.exit(failures ? 1 : 0);
