// A program on a real screen: a terminal of tmux.
import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from './target.mjs';

/** Why a program cannot be tested here, or false. */
export function missing(program, args, what) {
  const reason = spawnSync('tmux', ['-V']).status !== 0 ? 'tmux is not installed' : spawnSync(program, args).status !== 0 && what;
  // run.sh and install.sh install them: where all tests must run, a skip is a failure.
  if (reason && process.env.CI) throw new Error(reason);
  return reason;
}

export class Terminal {
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
