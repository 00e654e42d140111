// A Rust process to attach to, and its source.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

function fromEnvironment(name) {
  if (!process.env[name]) throw new Error(`${name} must be set`);
  return process.env[name];
}

export const source = () => fromEnvironment('RSPROF_TARGET_SRC');
export const sourceUri = () => pathToFileURL(source()).href;
export const sourceText = () => fs.readFileSync(source(), 'utf8');
export const workspace = () => ({ workspaceFolders: [{ uri: pathToFileURL(path.dirname(source())).href, name: 'programs' }] });
export const document = (version = 1, text = sourceText()) =>
  ({ textDocument: { uri: sourceUri(), languageId: 'rust', version, text } });

/** Starts the target; killed by the test's end at the latest. */
export function startTarget(t, binary = fromEnvironment('RSPROF_TARGET_BIN')) {
  const child = spawn(binary, ['--seconds', '120'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return { child, pid: child.pid, exited: once(child, 'exit') };
}

/** A folder of its own for a test. */
export function temporaryFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rsprof-lsp-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}
