import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { CRASHES_MAX, restartDelay } from '../../../editors/vscode/src/backoff';
import { findServer, ServerMissing } from '../../../editors/vscode/src/server_path';

let folder: string;
const at = (...parts: string[]): string => path.join(folder, ...parts);

before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'rsprof-unit-'));
    mkdirSync(at('extension/server'), { recursive: true });
    mkdirSync(at('bin'));
    writeFileSync(at('extension/server/rsprof'), '', { mode: 0o644 });
    writeFileSync(at('bin/rsprof'), '', { mode: 0o755 });
    writeFileSync(at('plain'), '', { mode: 0o644 });
});

after(() => {
    rmSync(folder, { recursive: true });
});

test('the setting comes first, and "~/" is the home', () => {
    assert.deepEqual(findServer('~/bin/rsprof', at('extension'), folder, ''), { path: at('bin/rsprof'), origin: 'setting' });
});

test('a setting that cannot be run is an error with a hint', () => {
    for (const setting of [at('absent'), at('plain'), at('bin'), 'relative/rsprof']) {
        assert.throws(() => findServer(setting, at('extension'), folder, at('bin')), (error: unknown) =>
            error instanceof ServerMissing && error.hint.includes('rsprof.server.path'));
    }
});

test('the server of the extension comes next, made executable where unpacking lost that', () => {
    assert.equal(findServer('', at('extension'), folder, at('bin')).origin, 'extension');
    assert.equal(statSync(at('extension/server/rsprof')).mode & 0o111, 0o111);
});

test('then the first on PATH, relative folders left out', () => {
    chmodSync(at('bin/rsprof'), 0o755);
    assert.deepEqual(findServer('', at('none'), folder, `.:${at('bin')}`), { path: at('bin/rsprof'), origin: 'PATH' });
    assert.throws(() => findServer('', at('none'), folder, '.'), ServerMissing);
});

test('a server that crashes is started again later and later, then not at all', () => {
    const crashes = Array.from({ length: CRASHES_MAX + 1 }, (_, i) => 1000 + i);
    const delays = crashes.map((_, i) => restartDelay(crashes.slice(0, i + 1)));
    assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, undefined]);
    assert.equal(restartDelay([...crashes, 10_000_000]), 500);
});
