// Emacs with eglot in a terminal: hints and hover of a standard client, on a real screen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { binary } from './lib/server.mjs';
import { source, sourceText, startTarget } from './lib/target.mjs';
import { missing, Terminal } from './lib/terminal.mjs';

const init = fileURLToPath(new URL('eglot/init.el', import.meta.url));

const unusable = missing('emacs', ['--batch', '--eval', '(kill-emacs (if (>= emacs-major-version 29) 0 1))'],
  'Emacs 29 or newer is not installed (install-emacs.sh does it)');

test('Emacs shows hints at the ends of lines, and a hover', { skip: unusable }, async (t) => {
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
