// What a click on the status bar item offers while something is attached.
import * as vscode from 'vscode';
import type { Session } from './session';
import { processName, statusLines } from './status_text';

interface Item extends vscode.QuickPickItem {
    command?: string;
}

const ATTACHED_ITEMS: readonly Item[] = [
    { label: '$(flame) Go to Hottest Line', command: 'rsprof.goToHottest' },
    { label: '$(list-ordered) Show Hot Lines', command: 'rsprof.showHotLines' },
    { label: '$(settings) Choose Metric…', command: 'rsprof.chooseMetric' },
    { label: '$(eye) Toggle Annotations', command: 'rsprof.toggleAnnotations' },
    { label: '$(clear-all) Reset', description: 'CPU counts start anew; live heap stays', command: 'rsprof.reset' },
    { label: '$(debug-disconnect) Detach', command: 'rsprof.detach' },
];

const OTHER_ITEMS: readonly Item[] = [
    { label: '$(play) Attach to Process…', command: 'rsprof.attach' },
    { label: '$(checklist) Check Setup', command: 'rsprof.checkSetup' },
    { label: '$(output) Show Log', command: 'rsprof.showLog' },
];

export function registerMenu(session: Session): vscode.Disposable {
    return vscode.commands.registerCommand('rsprof.menu', async () => {
        const { status } = session;
        const items = session.attached ? [...ATTACHED_ITEMS, ...OTHER_ITEMS] : OTHER_ITEMS;
        const title = session.attached ? `rsprof: ${processName(status)}` : 'rsprof';
        const placeHolder = statusLines(status)[session.attached ? 2 : 0] ?? '';
        const chosen = await vscode.window.showQuickPick<Item>(items, { title, placeHolder });
        if (chosen?.command !== undefined) {
            await vscode.commands.executeCommand(chosen.command);
        }
    });
}
