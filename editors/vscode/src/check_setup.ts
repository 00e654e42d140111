// Check Setup: what this machine lacks for profiling, each with what to do about it, on a page of its own.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import * as vscode from 'vscode';
import { CARGO_LINES, setcapCommand } from './failures';
import type { Server } from './server';
import { ServerMissing } from './server_path';
import type { Session } from './session';

const TIMEOUT_MS = 10_000;

interface Ran {
    ok: boolean;
    text: string;
}

function run(file: string, args: string[]): Promise<Ran> {
    return new Promise((resolve) => {
        execFile(file, args, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
            const text = `${stdout}${stderr}`.trim();
            resolve({ ok: error === null, text: text === '' && error !== null ? error.message : text });
        });
    });
}

function readSysctl(name: string): string {
    try {
        return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
    } catch {
        return 'not readable';
    }
}

async function serverSection(server: Server, pid: number): Promise<string[]> {
    let path: string;
    try {
        const found = server.path();
        path = found.path;
        const version = await run(path, ['--version']);
        const lines = [`Server: \`${path}\` (from ${found.origin}), ${version.text}`];
        const doctor = await run(path, pid > 0 ? ['doctor', pid.toString()] : ['doctor']);
        if (doctor.ok || doctor.text !== '') {
            lines.push('', '```', doctor.text, '```');
        }
        const rights = process.getuid?.() === 0 ? 'not needed: the editor runs as root' : `\`${setcapCommand(path)}\``;
        return [...lines, '', `Rights, so that rsprof may sample your own processes: ${rights}`];
    } catch (error) {
        return [error instanceof ServerMissing ? `Server: ${error.message} ${error.hint}` : String(error)];
    }
}

async function report(server: Server, session: Session): Promise<string> {
    return [
        '# rsprof: Check Setup',
        '',
        ...(process.platform === 'linux' ? [] : ['rsprof profiles Linux processes only; this is another system.', '']),
        ...(await serverSection(server, session.status.pid)),
        '',
        `Kernel: ${release()} (6.1 or newer is best)`,
        '',
        `kernel.perf_event_paranoid: ${readSysctl('kernel.perf_event_paranoid')}`,
        '',
        `kernel.yama.ptrace_scope: ${readSysctl('kernel.yama.ptrace_scope')}`,
        '',
        'Line information, in `Cargo.toml` of the program (the code it makes is the same):',
        '',
        '```toml',
        CARGO_LINES.trimEnd(),
        '```',
        ...session.status.hints.map((hint) => `\nHint: ${hint}`),
        '',
    ].join('\n');
}

export function registerCheckSetup(server: Server, session: Session): vscode.Disposable {
    return vscode.commands.registerCommand('rsprof.checkSetup', async () => {
        const title = 'rsprof: checking the setup…';
        const location = vscode.ProgressLocation.Window;
        const content = await vscode.window.withProgress({ location, title }, () => report(server, session));
        const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
        await vscode.window.showTextDocument(document, { preview: true });
    });
}
