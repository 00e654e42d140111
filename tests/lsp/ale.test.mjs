// Vim with ALE in a terminal: a standard client without inlay hints shows diagnostics and hovers.
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { binary } from './lib/server.mjs';
import { source, sourceText, startTarget } from './lib/target.mjs';
import { missing, Terminal } from './lib/terminal.mjs';

const vimrc = fileURLToPath(new URL('ale/vimrc', import.meta.url));
const unusable = missing('test', ['-d', '/usr/share/vim/vimfiles/pack/dist-bundle/opt/ale'], 'vim-ale is not installed');

test('Vim with ALE shows diagnostics as virtual text, and a hover', { skip: unusable }, async (t) => {
  const target = startTarget(t);
  const [line] = sourceText().split('\n').flatMap((text, i) => (text.includes('total +=') ? [i + 1] : []));
  const terminal = new Terminal(t, `vim -u '${vimrc}' +${line} '${source()}'`, { RSPROF: binary(), TARGET_PID: target.pid });
  await terminal.waitFor(/total \+= .*;.*\d+\.\d%/);
  terminal.keys('$', ':ALEHover', 'Enter');
  await terminal.waitFor(/service::price[\s\S]*CPU: \d+\.\d% self/);
  if (process.env.RSPROF_SHOW) console.log(terminal.screen());
  terminal.keys(':qa!', 'Enter');
});
