// Go to the hottest line of the process, and to the next and previous hot line of the file.
import * as vscode from 'vscode';
import type { Failures } from './failures';
import { neighbourLine } from './neighbour';
import type { Server } from './server';
import type { Session } from './session';
import { viewSettings } from './settings';

async function goToHottest(server: Server): Promise<void> {
    const { metric } = viewSettings();
    const params = { metric: metric === 'heap' ? 'heap' : 'cpu', limit: 1 } as const;
    const [hottest] = (await server.request('rsprof/hotLines', params)).lines;
    if (hottest === undefined) {
        vscode.window.setStatusBarMessage('rsprof: no line of your code has cost anything yet', 4000);
        return;
    }
    const selection = new vscode.Range(hottest.line, 0, hottest.line, 0);
    await vscode.window.showTextDocument(vscode.Uri.parse(hottest.uri), { selection });
}

function goToNeighbour(session: Session, step: 1 | -1): void {
    const editor = vscode.window.activeTextEditor;
    const marks = editor === undefined ? undefined : session.model(editor.document.uri)?.marks;
    const lines = (marks ?? []).map(({ line }) => line);
    const line = editor === undefined ? undefined : neighbourLine(lines, editor.selection.active.line, step);
    if (editor === undefined || line === undefined) {
        vscode.window.setStatusBarMessage('rsprof: no hot line in this file', 4000);
        return;
    }
    const position = editor.document.lineAt(line).range.start.translate(
        0,
        editor.document.lineAt(line).firstNonWhitespaceCharacterIndex,
    );
    editor.selection = new vscode.Selection(position, position);
    editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

export function registerNavigation(server: Server, session: Session, failures: Failures): vscode.Disposable {
    return vscode.Disposable.from(
        vscode.commands.registerCommand('rsprof.goToHottest', () => failures.guard(() => goToHottest(server))),
        vscode.commands.registerCommand('rsprof.nextHotLine', () => {
            goToNeighbour(session, 1);
        }),
        vscode.commands.registerCommand('rsprof.previousHotLine', () => {
            goToNeighbour(session, -1);
        }),
    );
}
