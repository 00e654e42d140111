// The hover on annotated lines.
import * as vscode from 'vscode';
import { hoverMarkdown } from './hover_text';
import type { Server } from './server';
import type { Session } from './session';
import { hoverSetting } from './settings';

class LineHover implements vscode.HoverProvider {
    constructor(
        private readonly server: Server,
        private readonly session: Session,
        private readonly log: vscode.LogOutputChannel,
    ) {}

    async provideHover(
        document: vscode.TextDocument,
        position: vscode.Position,
        token: vscode.CancellationToken,
    ): Promise<vscode.Hover | undefined> {
        const mode = hoverSetting();
        const model = this.session.model(document.uri);
        const mark = model?.markAt(position.line);
        const { range } = document.lineAt(position.line);
        if (model === undefined || mark === undefined || mode === 'off') {
            return undefined;
        }
        if (mode === 'annotation' && position.character < range.end.character) {
            return undefined;
        }
        const params = { uri: document.uri.toString(), line: position.line };
        try {
            const details = await this.server.request('rsprof/lineDetails', params, token);
            if (details === null) {
                return undefined;
            }
            const trends = { cpu: mark.trend.cpuBars(), heap: mark.trend.heapBars() };
            const text = new vscode.MarkdownString(hoverMarkdown(details, trends, model.stale));
            text.supportHtml = true;
            return new vscode.Hover(text, range);
        } catch (error) {
            /* A hover that cannot be had is no reason to interrupt: the pointer moved on, or the process was detached. */
            this.log.debug(`hover: ${String(error)}`);
            return undefined;
        }
    }
}

export function registerHover(server: Server, session: Session, log: vscode.LogOutputChannel): vscode.Disposable {
    return vscode.languages.registerHoverProvider(
        { language: 'rust', scheme: 'file' },
        new LineHover(server, session, log),
    );
}
