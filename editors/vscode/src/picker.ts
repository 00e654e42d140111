// The list of processes to attach to: Rust ones, those of this workspace first, with buttons to refresh and to show all.
import * as vscode from 'vscode';
import { processText } from './process_text';
import type { ProcessItem } from './protocol';
import type { Server } from './server';

interface Item extends vscode.QuickPickItem {
    process?: ProcessItem;
}

const REFRESH: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('refresh'), tooltip: 'Refresh' };
const SHOW_ALL: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('list-unordered'),
    tooltip: 'Show all processes, not only Rust ones',
};
const SHOW_RUST: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('filter'),
    tooltip: 'Show Rust processes only',
};

function workspacePaths(): string[] {
    return (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
}

function itemsOf(processes: readonly ProcessItem[]): Item[] {
    const folders = workspacePaths();
    const items: Item[] = [];
    let group: boolean | undefined;
    for (const process of processes) {
        if (process.workspace !== group && (process.workspace || group !== undefined)) {
            const label = process.workspace ? 'built from this workspace' : 'others';
            items.push({ label, kind: vscode.QuickPickItemKind.Separator });
        }
        group = process.workspace;
        items.push({ ...processText(process, folders), process });
    }
    return items;
}

/** Asks for a process; undefined when the user changed their mind. Rejects when the server cannot list processes. */
export class ProcessPicker implements vscode.Disposable {
    private readonly pick = vscode.window.createQuickPick<Item>();
    private readonly disposables: vscode.Disposable[] = [this.pick];
    private all = false;

    constructor(private readonly server: Server) {
        this.pick.title = 'rsprof: Attach to Process';
        this.pick.matchOnDescription = true;
        this.pick.matchOnDetail = true;
        this.pick.placeholder = 'Reading the list of processes…';
    }

    ask(): Promise<ProcessItem | undefined> {
        return new Promise((resolve, reject) => {
            this.disposables.push(
                this.pick.onDidTriggerButton((button) => {
                    this.all = button === REFRESH ? this.all : !this.all;
                    this.fill().catch(reject);
                }),
                this.pick.onDidAccept(() => {
                    /* Enter before the list has come picks nothing. */
                    const process = this.pick.selectedItems[0]?.process;
                    if (process !== undefined) {
                        resolve(process);
                    }
                }),
                this.pick.onDidHide(() => {
                    resolve(undefined);
                }),
            );
            this.pick.show();
            this.fill().catch(reject);
        });
    }

    dispose(): void {
        vscode.Disposable.from(...this.disposables).dispose();
    }

    private async fill(): Promise<void> {
        this.pick.busy = true;
        this.pick.buttons = [this.all ? SHOW_RUST : SHOW_ALL, REFRESH];
        const { processes } = await this.server.request('rsprof/listProcesses', { all: this.all });
        this.pick.items = itemsOf(processes);
        this.pick.busy = false;
        this.pick.placeholder = this.all ? 'Pick a process' : 'Pick a Rust process';
        if (processes.length === 0) {
            this.pick.placeholder = this.all ? 'No process found' : 'No Rust process is running: start one, then refresh';
        }
    }
}
