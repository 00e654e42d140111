// The whole path in a terminal: Neovim in tmux, the real server, a real Rust process under load.
// usage: node terminal.mjs NVIM      (RSPROF: the server; RSPROF_TARGET_BIN, RSPROF_TARGET_SRC: a program and its source)
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { RSPROF, RSPROF_TARGET_BIN, RSPROF_TARGET_SRC } = process.env;
const plugin = fileURLToPath(new URL('../../editors/nvim', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rsprof-terminal-'));
const environment = { ...process.env, TMUX_TMPDIR: folder, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', HOME: folder, XDG_STATE_HOME: folder };
const tmux = (...args) => execFileSync('tmux', ['-L', 'rsprof', '-f', '/dev/null', ...args], {
  env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
});

const screen = () => tmux('capture-pane', '-p');
const type = (...keys) => tmux('send-keys', ...keys);
const command = text => type(`:${text}`, 'Enter');
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const eventually = async (what, find) => {
  for (let waited = 0; waited < 15000; waited += 100) {
    const found = find(screen());
    if (found) return found;
    await sleep(100);
  }
  throw new Error(`never happened: ${what}\n--- screen\n${screen()}---`);
};

const startTarget = () => spawn(RSPROF_TARGET_BIN, ['--seconds', '300'], { stdio: 'ignore' });
const annotated = /^(\S*\s*)(.*\S)\s+(\d+\.\d%|100%)/m;

/** Annotated lines on the screen: row, code and label. */
const annotations = text => text.split('\n').flatMap((line, row) => {
  const match = annotated.exec(line);
  return match && row < 36 ? [{ row, code: match[2].trim() }] : [];
});

const serverProcesses = () => readdirSync('/proc').filter(pid => {
  try {
    return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`${RSPROF}\0serve`)
      && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder);
  } catch {
    return false; // it ended meanwhile, or is not ours to look at
  }
});

let target = startTarget();
let failed = false;
const step = text => process.stdout.write(`ok - ${text}\n`);

const open = nvim => {
  const options = `lua vim.g.rsprof = {server = '${RSPROF}'}`;
  tmux('new-session', '-d', '-x', '120', '-y', '40', '-c', dirname(RSPROF_TARGET_SRC),
    nvim, '-u', 'NONE', '--clean', '--cmd', `set rtp^=${plugin} noswapfile`, '--cmd', options, RSPROF_TARGET_SRC);
};

const attachThroughPicker = async () => {
  await eventually('the source', text => text.includes(basename(RSPROF_TARGET_SRC)) || text.includes('fn '));
  command('Rsprof attach');
  const choice = await eventually('the target in the picker', text =>
    new RegExp(`^\\s*(\\d+): +${target.pid} `, 'm').exec(text)?.[1]);
  type(choice, 'Enter');
  await eventually('the attach', text => text.includes(`attached to process ${target.pid}`));
};

const editAboveMoves = async () => {
  const [before] = await eventually('an annotation', text => annotations(text).length > 0 && annotations(text));
  type('g', 'g', 'O', '// new', 'Escape');
  await eventually('the annotation one row lower', text =>
    annotations(text).some(after => after.row === before.row + 1 && after.code === before.code));
  type('u');
  await eventually('the annotation in its row again', text =>
    annotations(text).some(after => after.row === before.row && after.code === before.code));
};

const deletionAndUndo = async () => {
  const [line] = await eventually('an annotation', text => annotations(text).length > 0 && annotations(text));
  type(`${line.row + 1}G`, 'd', 'd');
  await eventually('the line to be gone', text => !annotations(text).some(after => after.code === line.code));
  type('u');
  await eventually('the line with its annotation', text => annotations(text).some(after => after.code === line.code));
};

const run = async nvim => {
  open(nvim);
  await attachThroughPicker();
  step('a process chosen in the picker is attached to');
  await eventually('an annotation', text => annotations(text).length > 0);
  step('its lines bear their cost');
  if (serverProcesses().length === 0) throw new Error('the server cannot be found among the processes');
  await editAboveMoves();
  step('an annotation moves with its line when a line is written above');
  await deletionAndUndo();
  step('a deleted line takes its annotation along, and undo brings it back');
  command('Rsprof hottest');
  await eventually('the hottest line', text => annotations(text).length > 0);
  command('Rsprof line');
  await eventually('the details', text => /CPU +\d+\.\d% self/.test(text) && text.includes('Called from'));
  step('the details of the hottest line open');
  type('g', 'g');
  command('Rsprof detach');
  await eventually('no annotation', text => text.includes('detached') && annotations(text).length === 0);
  await eventually('the end of the server', () => serverProcesses().length === 0);
  if (target.exitCode !== null) throw new Error('the target ended');
  step('detach leaves no annotation, no server, and the target running');
  command(`Rsprof attach ${target.pid}`);
  await eventually('an annotation', text => annotations(text).length > 0);
  target.kill('SIGKILL');
  await eventually('that the target ended', text => text.includes(`process ${target.pid}`) && text.includes('has ended'));
  step('a target that is killed is said');
  type('Enter');
  target = startTarget();
  command('Rsprof reattach');
  await eventually('the new process', text => text.includes(`attached to process ${target.pid}`));
  step('reattach finds the executable again');
  command('qall!');
  for (let waited = 0; serverProcesses().length; waited += 100) {
    if (waited > 10000) throw new Error('the server outlives the editor');
    await sleep(100);
  }
  step('the server ends with the editor');
};

try {
  await run(process.argv[2]);
} catch (problem) {
  failed = true;
  process.stdout.write(`not ok - ${problem.stack}\n`);
} finally {
  target.kill('SIGKILL');
  try {
    tmux('kill-server');
  } catch {
    // it ended with its only window
  }
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
