// Choose Metric: what annotations show. The choice is a setting of the user, and the server is told at once.
import * as vscode from 'vscode';
import type { Failures } from './failures';
import type { View } from './protocol';
import type { Server } from './server';
import { updateView, viewSettings } from './settings';

interface Item extends vscode.QuickPickItem {
    view?: Partial<View>;
}

function separator(label: string): Item {
    return { label, kind: vscode.QuickPickItemKind.Separator };
}

function items(view: View): Item[] {
    const item = (label: string, description: string, part: Partial<View>): Item => {
        const chosen = Object.entries(part).every(([name, value]) => view[name as keyof View] === value);
        return { label: `$(${chosen ? 'check' : 'blank'}) ${label}`, description, view: part };
    };
    return [
        separator('show'),
        item('CPU and heap', '', { metric: 'both' }),
        item('CPU', 'share of the CPU time of the process', { metric: 'cpu' }),
        item('Heap', 'bytes that are live now', { metric: 'heap' }),
        separator('of'),
        item('Self', 'the line, and the library code it calls', { attribution: 'self' }),
        item('Total', 'the line, and everything called from it', { attribution: 'total' }),
        separator('over'),
        item('Last seconds', 'a moving window', { period: 'window' }),
        item('Since attach', 'or since the last reset', { period: 'attach' }),
    ];
}

export function registerMetric(server: Server, failures: Failures): vscode.Disposable {
    return vscode.Disposable.from(
        vscode.commands.registerCommand('rsprof.chooseMetric', async () => {
            const placeHolder = 'What annotations show';
            const chosen = await vscode.window.showQuickPick(items(viewSettings()), { title: 'rsprof: Metric', placeHolder });
            if (chosen?.view !== undefined) {
                await updateView(chosen.view);
            }
        }),
        vscode.workspace.onDidChangeConfiguration((event) => {
            if (event.affectsConfiguration('rsprof.view') && server.running) {
                void failures.guard(async () => {
                    await server.request('rsprof/setView', viewSettings());
                });
            }
        }),
    );
}
