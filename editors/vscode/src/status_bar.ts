// The status bar item: what is attached, what it uses; its tooltip says the rest, a click opens the menu.
import * as vscode from 'vscode';
import type { Session } from './session';
import { statusBarText, statusLines } from './status_text';

export class StatusBar implements vscode.Disposable {
    private readonly item = vscode.window.createStatusBarItem('rsprof.status', vscode.StatusBarAlignment.Left, 10);
    private readonly disposables: vscode.Disposable[] = [this.item];
    private shown = '';

    constructor(private readonly session: Session) {
        this.item.name = 'rsprof';
        this.disposables.push(
            session.onStatus(() => {
                this.update();
            }),
        );
        this.update();
        this.item.show();
    }

    dispose(): void {
        vscode.Disposable.from(...this.disposables).dispose();
    }

    private update(): void {
        const { status } = this.session;
        const text = statusBarText(status);
        const lines = statusLines(status);
        const key = [text, ...lines].join('\n');
        if (key === this.shown) {
            return;
        }
        this.shown = key;
        this.item.text = text;
        this.item.command = status.state === 'detached' ? 'rsprof.attach' : 'rsprof.menu';
        const tooltip = new vscode.MarkdownString();
        lines.forEach((line, i) => {
            tooltip.appendText(i === 0 ? line : `\n\n${line}`);
        });
        this.item.tooltip = tooltip;
    }
}
