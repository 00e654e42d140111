// Check Setup: what this machine lacks for profiling, each with what to do about it, on a page of its own.
import { execFile } from 'node:child_process';
import * as vscode from 'vscode';
import { CARGO_LINES } from './failures';
import type { Server } from './server';
import { ServerMissing } from './server_path';
import type { Session } from './session';
import { checksTable } from './setup_text';

const TIMEOUT_MS = 10_000;
const SCHEME = 'rsprof-setup';
const PAGE = vscode.Uri.parse(`${SCHEME}:/rsprof Setup.md`);

/* What a command prints, whatever its exit code. */
function run(file: string, args: string[]): Promise<string> {
    return new Promise((resolve) => {
        execFile(file, args, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
            const text = (stdout === '' ? stderr : stdout).trim();
            resolve(text === '' && error !== null ? error.message : text);
        });
    });
}

async function serverSection(server: Server, pid: number): Promise<string[]> {
    try {
        const found = server.path();
        const version = await run(found.path, ['--version']);
        const doctor = await run(found.path, ['doctor', '--json', ...(pid > 0 ? [pid.toString()] : [])]);
        return [
            '## Server',
            `\`${found.path}\` (from ${found.origin}): ${version}`,
            '## Checks',
            checksTable(doctor),
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
