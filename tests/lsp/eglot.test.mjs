// Emacs with eglot in a terminal: hints and hover of a standard client, on a real screen.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { binary } from './lib/server.mjs';
import { source, sourceText, startTarget, temporaryFolder } from './lib/target.mjs';

const init = fileURLToPath(new URL('eglot/init.el', import.meta.url));

function unusable() {
  const emacs = spawnSync('emacs', ['--batch', '--eval', '(kill-emacs (if (>= emacs-major-version 29) 0 1))']);
  if (emacs.status !== 0) return 'Emacs 29 or newer is not installed (install-emacs.sh does it)';
  return spawnSync('tmux', ['-V']).status === 0 ? false : 'tmux is not installed';
}

class Terminal {
  constructor(t, command, env) {
    t.after(() => this.#end());
    this.socket = `${temporaryFolder(t)}/tmux`;
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '160', '-y', '50', ...variables, command);
  }

  /** Before its folder goes, and with the socket in it. */
  #end() {
    try {
      this.#tmux('kill-server');
    } catch {
      // It has ended with the editor.
    }
  }

  #tmux(...args) {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' };
    return execFileSync('tmux', ['-S', this.socket, ...args], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] });
  }

  screen() { return this.#tmux('capture-pane', '-p'); }
  keys(...keys) { this.#tmux('send-keys', ...keys); }

  async waitFor(pattern, ms = 30000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) {
      const found = this.screen().match(pattern);
      if (found) return found;
    }
    throw new Error(`no ${pattern} on the screen:\n${this.screen()}`);
  }
}

test('Emacs shows hints at the ends of lines, and a hover', { skip: unusable() }, async (t) => {
  const target = startTarget(t);
  const [line] = sourceText().split('\n').flatMap((text, i) => (text.includes('total +=') ? [i + 1] : []));
  const terminal = new Terminal(t, `emacs -nw -Q -l '${init}' +${line}:5 '${source()}'`, { RSPROF: binary(), TARGET_PID: target.pid });
  await terminal.waitFor(/total \+= .*;\s+\d+\.\d%/);
  terminal.keys('C-c', 'h');
  await terminal.waitFor(/service::price[\s\S]*CPU: \d+\.\d% self/);
  assert.match(terminal.screen(), /Called from/);
  if (process.env.RSPROF_SHOW) console.log(terminal.screen());
  terminal.keys('C-x', 'C-c');
});
