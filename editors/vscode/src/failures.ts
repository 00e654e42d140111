// Errors told to people: what happened, what to do, and a button that does it.
import * as vscode from 'vscode';
import { ResponseError } from 'vscode-languageclient/node';
import { ErrorCode, type ErrorData } from './protocol';
import { ServerMissing } from './server_path';

interface Action {
    title: string;
    run(): unknown;
}

export const CARGO_LINES = '[profile.release]\ndebug = "line-tables-only"\n';

function runInTerminal(command: string): void {
    const terminal = vscode.window.createTerminal('rsprof');
    terminal.show();
    /* Not run at once: it asks for more rights, so the user presses Enter. */
    terminal.sendText(command, false);
}

export class Failures {
    constructor(private readonly log: vscode.LogOutputChannel) {}

    /** Shows `error`; returns when the message is gone. */
    async show(error: unknown): Promise<void> {
        const { message, hint } = this.describe(error);
        this.log.error(hint === '' ? message : `${message} ${hint}`);
        const actions = this.actionsFor(error);
        const text = hint === '' ? message : `${message} ${hint}`;
        const chosen = await vscode.window.showErrorMessage(`rsprof: ${text}`, ...actions);
        await chosen?.run();
    }

    /** Runs `work` and shows what goes wrong. */
    async guard(work: () => Promise<void>): Promise<void> {
        try {
            await work();
        } catch (error) {
            if (!(error instanceof vscode.CancellationError)) {
                await this.show(error);
            }
        }
    }

    private describe(error: unknown): { message: string; hint: string } {
        if (error instanceof ServerMissing) {
            return { message: error.message, hint: error.hint };
        }
        if (error instanceof ResponseError) {
            const data = error.data as ErrorData | undefined;
            return { message: sentence(error.message), hint: data?.hint === undefined ? '' : sentence(data.hint) };
        }
        return { message: sentence(error instanceof Error ? error.message : String(error)), hint: '' };
    }

    private actionsFor(error: unknown): Action[] {
        if (error instanceof ServerMissing) {
            return [openSettings('rsprof.server.path'), this.checkSetup()];
        }
        if (!(error instanceof ResponseError)) {
            return [this.showLog()];
        }
        switch (error.code) {
            case ErrorCode.PermissionDenied:
                return this.grantRights((error.data as ErrorData | undefined)?.hint ?? '');
            case ErrorCode.NoDebugInfo:
                return [
                    {
                        title: 'Copy Cargo.toml Lines',
                        run: () => vscode.env.clipboard.writeText(CARGO_LINES),
                    },
                ];
            case ErrorCode.NoSuchProcess:
            case ErrorCode.NotRust:
                return [pickAnother()];
            case ErrorCode.Unsupported:
                return [this.checkSetup()];
            default:
                return [this.showLog()];
        }
    }

    /* The hint ends with a command, where one helps; it does not with a process of another user. */
    private grantRights(hint: string): Action[] {
        const command = /\bsudo .+$/.exec(hint)?.[0];
        if (command === undefined) {
            return [pickAnother(), this.checkSetup()];
        }
        return [
            { title: 'Open in Terminal', run: () => { runInTerminal(command); } },
            { title: 'Copy Command', run: () => vscode.env.clipboard.writeText(command) },
            this.checkSetup(),
        ];
    }

    private checkSetup(): Action {
        return { title: 'Check Setup', run: () => vscode.commands.executeCommand('rsprof.checkSetup') };
    }

    private showLog(): Action {
        return { title: 'Show Log', run: () => { this.log.show(); } };
    }
}

function pickAnother(): Action {
    return { title: 'Pick Another…', run: () => vscode.commands.executeCommand('rsprof.attach') };
}

function openSettings(query: string): Action {
    return {
        title: 'Open Settings',
        run: () => vscode.commands.executeCommand('workbench.action.openSettings', query),
    };
}

/* The first letter stays as it is: it may be that of a program's name. */
function sentence(text: string): string {
    const trimmed = text.trim();
    return trimmed === '' || /[.!?`]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
