// Commands that begin and end an attachment: attach, attach by PID, re-attach, detach, reset.
import * as vscode from 'vscode';
import { ResponseError } from 'vscode-languageclient/node';
import type { Failures } from './failures';
import { ProcessPicker } from './picker';
import { ErrorCode, type ProcessItem } from './protocol';
import type { Server } from './server';
import type { Session } from './session';
import { autoReattachSetting, samplingSettings } from './settings';

export interface Target {
    pid: number;
    exe: string;
}

const LAST_EXE = 'rsprof.lastExe';
const REATTACH_PERIOD_MS = 2000;

function basename(exe: string): string {
    return exe.replace(/ \(deleted\)$/, '').split('/').at(-1) ?? exe;
}

function sameExe(a: string, b: string): boolean {
    return a.replace(/ \(deleted\)$/, '') === b.replace(/ \(deleted\)$/, '');
}

export class Attach implements vscode.Disposable {
    /** What is, or was, attached to in this session of the editor. */
    private target: Target | undefined;
    /** A server started before it was given rights must be started again to have them. */
    private rightsWereMissing = false;
    private waitTimer: NodeJS.Timeout | undefined;
    private readonly disposables: vscode.Disposable[] = [];

    constructor(
        private readonly server: Server,
        private readonly session: Session,
        private readonly failures: Failures,
        private readonly memory: vscode.Memento,
    ) {
        const command = (name: string, work: () => Promise<void>): vscode.Disposable =>
            vscode.commands.registerCommand(name, () => failures.guard(work));
        this.disposables.push(
            command('rsprof.attach', () => this.attachPicked()),
            command('rsprof.attachByPid', () => this.attachByPid()),
            command('rsprof.reattach', () => this.reattach()),
            command('rsprof.detach', () => this.detach()),
            command('rsprof.reset', async () => {
                await server.request('rsprof/reset', {});
            }),
            session.onState(({ before, now }) => {
                if (now.state === 'lost' && before !== 'lost') {
                    void this.onLost(now.exe);
                }
            }),
            server.onBack(() => {
                void failures.guard(() => this.resume());
            }),
        );
        this.setContext();
    }

    dispose(): void {
        clearTimeout(this.waitTimer);
        vscode.Disposable.from(...this.disposables).dispose();
    }

    private async attachPicked(): Promise<void> {
        await this.renewRights();
        const picker = new ProcessPicker(this.server);
        let process: ProcessItem | undefined;
        try {
            process = await picker.ask();
        } finally {
            picker.dispose();
        }
        if (process !== undefined) {
            await this.attach(process.pid);
        }
    }

    private async attachByPid(): Promise<void> {
        const text = await vscode.window.showInputBox({
            title: 'rsprof: Attach by PID',
            prompt: 'Process id of a running Rust program',
            validateInput: (value) => (/^\s*[1-9]\d{0,9}\s*$/.test(value) ? undefined : 'A process id is a positive number.'),
        });
        if (text !== undefined) {
            await this.renewRights();
            await this.attach(Number(text));
        }
    }

    private async reattach(): Promise<void> {
        const exe = this.target?.exe ?? this.memory.get<string>(LAST_EXE);
        if (exe === undefined) {
            await this.attachPicked();
            return;
        }
        const process = await this.find(exe);
        if (process === undefined) {
            throw new Error(`No process runs ${exe}. Start it, or pick another process.`);
        }
        await this.attach(process.pid);
    }

    private async detach(): Promise<void> {
        clearTimeout(this.waitTimer);
        this.target = undefined;
        await this.server.request('rsprof/detach', {});
    }

    private async attach(pid: number): Promise<void> {
        clearTimeout(this.waitTimer);
        const location = vscode.ProgressLocation.Window;
        await vscode.window.withProgress({ location, title: `rsprof: attaching to ${pid}…` }, async () => {
            try {
                this.target = await this.server.request('rsprof/attach', { pid, ...samplingSettings() });
            } catch (error) {
                this.rightsWereMissing = error instanceof ResponseError && error.code === ErrorCode.PermissionDenied;
                throw error;
            }
        });
        await this.memory.update(LAST_EXE, this.target?.exe);
        this.setContext();
    }

    private async renewRights(): Promise<void> {
        if (this.rightsWereMissing && this.server.running) {
            this.rightsWereMissing = false;
            await this.server.restart();
        }
    }

    /** After a crash of the server: goes on with the same process, if it still runs. */
    private async resume(): Promise<void> {
        const target = this.target;
        if (target !== undefined) {
            await this.attach(target.pid);
        }
    }

    private async find(exe: string): Promise<ProcessItem | undefined> {
        const { processes } = await this.server.request('rsprof/listProcesses', { all: false });
        return processes
            .filter((process) => process.attachable && sameExe(process.exe, exe))
            .sort((a, b) => a.uptimeSec - b.uptimeSec)[0];
    }

    private async onLost(exe: string): Promise<void> {
        const lost = this.target;
        const name = basename(exe === '' ? (lost?.exe ?? 'the process') : exe);
        if (autoReattachSetting() && lost !== undefined) {
            vscode.window.setStatusBarMessage(`rsprof: ${name} ended; waiting for it to start again`, 5000);
            this.waitFor(lost);
            return;
        }
        const again = 'Re-attach';
        const another = 'Attach to…';
        const message = `rsprof: ${name} ended. Its last numbers stay until you detach.`;
        const chosen = await vscode.window.showInformationMessage(message, again, another);
        if (chosen === again) {
            await vscode.commands.executeCommand('rsprof.reattach');
        } else if (chosen === another) {
            await vscode.commands.executeCommand('rsprof.attach');
        }
    }

    /** Looks for a new process of the same executable until there is one, or something else is attached to. */
    private waitFor(lost: Target): void {
        clearTimeout(this.waitTimer);
        this.waitTimer = setTimeout(() => {
            void this.failures.guard(() => this.attachAgain(lost));
        }, REATTACH_PERIOD_MS);
    }

    private async attachAgain(lost: Target): Promise<void> {
        const { state } = this.session.status;
        if (this.target !== lost || state === 'running' || state === 'attaching' || !autoReattachSetting()) {
            return;
        }
        const process = await this.find(lost.exe);
        if (process === undefined || process.pid === lost.pid) {
            this.waitFor(lost);
            return;
        }
        try {
            await this.attach(process.pid);
        } catch (error) {
            if (!(error instanceof ResponseError && error.code === ErrorCode.NoSuchProcess)) {
                throw error;
            }
            /* It ended at once; the next one may live longer. */
            this.waitFor(lost);
        }
    }

    private setContext(): void {
        const can = this.target !== undefined || this.memory.get<string>(LAST_EXE) !== undefined;
        void vscode.commands.executeCommand('setContext', 'rsprof.canReattach', can);
    }
}
