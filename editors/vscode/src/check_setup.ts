// Check Setup: what this machine lacks for profiling, each with what to do about it, on a page of its own.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import * as vscode from 'vscode';
import { CARGO_LINES, setcapCommand } from './failures';
import type { Server } from './server';
import { ServerMissing, type ServerPath } from './server_path';
import type { Session } from './session';

const TIMEOUT_MS = 10_000;
const SCHEME = 'rsprof-setup';
const PAGE = vscode.Uri.parse(`${SCHEME}:/rsprof Setup.md`);
/** Exit code of a server that does not know a command. */
const USAGE = 2;

interface Ran {
    code: number;
    text: string;
}

function run(file: string, args: string[]): Promise<Ran> {
    return new Promise((resolve) => {
        execFile(file, args, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
            const text = `${stdout}${stderr}`.trim();
            const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
            resolve({ code, text: text === '' && error !== null ? error.message : text });
        });
    });
}

function readSetting(name: string): string {
    try {
        return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
    } catch {
        return 'not readable';
    }
}

/* The server's own findings say more than these few rows; a server that has none of them leaves the rows. */
async function findings(server: ServerPath, pid: number): Promise<string[]> {
    const doctor = await run(server.path, pid > 0 ? ['doctor', pid.toString()] : ['doctor']);
    if (doctor.code !== USAGE) {
        return ['```', doctor.text, '```'];
    }
    return ['kernel.perf_event_paranoid', 'kernel.yama.ptrace_scope', 'kernel.unprivileged_bpf_disabled'].map(
        (name) => `* \`${name}\`: ${readSetting(name)}`,
    );
}

async function serverSection(server: Server, pid: number): Promise<string[]> {
    try {
        const found = server.path();
        const version = await run(found.path, ['--version']);
        const isRoot = process.getuid?.() === 0;
        const rights = isRoot
            ? 'The editor runs as root: nothing is missing.'
            : `So that rsprof may sample your processes: \`${setcapCommand(found.path)}\``;
        return [
            '## Server',
            `\`${found.path}\` (from ${found.origin}): ${version.text}`,
            '## Rights',
            rights,
            '## Machine',
            `Linux ${release()}; 6.1 or newer is best.`,
            (await findings(found, pid)).join('\n'),
        ];
    } catch (error) {
        const text = error instanceof ServerMissing ? `${error.message} ${error.hint}` : String(error);
        return ['## Server', text];
    }
}

async function report(server: Server, session: Session): Promise<string> {
    const { pid, hints } = session.status;
    return [
        '# rsprof: setup',
        ...(process.platform === 'linux' ? [] : ['rsprof profiles Linux processes only; this is another system.']),
        ...(await serverSection(server, pid)),
        '## Program',
        'Line information, in its `Cargo.toml` (the code that is made stays the same):',
        `\`\`\`toml\n${CARGO_LINES}\`\`\``,
        ...hints.map((hint) => `* ${hint}`),
    ].join('\n\n');
}

/** The page, read-only: made anew each time it is asked for. */
class SetupPage implements vscode.TextDocumentContentProvider {
    private readonly changeEmitter = new vscode.EventEmitter<vscode.Uri>();
    readonly onDidChange = this.changeEmitter.event;

    constructor(
        private readonly server: Server,
        private readonly session: Session,
    ) {}

    provideTextDocumentContent(): Promise<string> {
        return report(this.server, this.session);
    }

    renew(): void {
        this.changeEmitter.fire(PAGE);
    }

    dispose(): void {
        this.changeEmitter.dispose();
    }
}

export function registerCheckSetup(server: Server, session: Session): vscode.Disposable {
    const page = new SetupPage(server, session);
    return vscode.Disposable.from(
        page,
        vscode.workspace.registerTextDocumentContentProvider(SCHEME, page),
        vscode.commands.registerCommand('rsprof.checkSetup', async () => {
            page.renew();
            await vscode.commands.executeCommand('markdown.showPreview', PAGE);
        }),
    );
}
