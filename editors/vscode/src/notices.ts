// Things said once: that a file no longer matches the build, what the server hints at, that the server is gone for good.
import * as vscode from 'vscode';
import type { Failures } from './failures';
import type { Server } from './server';
import type { Session } from './session';
import { processName } from './status_text';

export class Notices implements vscode.Disposable {
    /** Files and hints that were spoken of since attach. */
    private readonly said = new Set<string>();
    private readonly disposables: vscode.Disposable[] = [];

    constructor(server: Server, session: Session, failures: Failures, log: vscode.LogOutputChannel) {
        this.disposables.push(
            session.onState(({ now }) => {
                if (now.state === 'detached' || now.state === 'attaching') {
                    this.said.clear();
                }
            }),
            session.onAnnotations((uri) => {
                if (session.model(uri)?.stale === true && this.first(`stale ${uri.toString()}`)) {
                    const file = vscode.workspace.asRelativePath(uri);
                    const name = processName(session.status);
                    void vscode.window.showInformationMessage(
                        `rsprof: ${file} has changed since ${name} was built, so numbers may be on the wrong lines.` +
                            ' Build and start it again to have them right.',
                    );
                }
            }),
            session.onStatus(({ hints }) => {
                for (const hint of hints) {
                    if (this.first(`hint ${hint}`)) {
                        log.warn(hint);
                    }
                }
            }),
            server.onGone(({ crashes }) => {
                void sayGone(server, failures, log, crashes);
            }),
        );
    }

    dispose(): void {
        vscode.Disposable.from(...this.disposables).dispose();
    }

    private first(what: string): boolean {
        if (this.said.has(what)) {
            return false;
        }
        this.said.add(what);
        return true;
    }
}

async function sayGone(
    server: Server,
    failures: Failures,
    log: vscode.LogOutputChannel,
    crashes: number,
): Promise<void> {
    const restart = 'Restart Server';
    const showLog = 'Show Log';
    const message = `rsprof: the server ended ${crashes} times within minutes and is not started again by itself.`;
    const chosen = await vscode.window.showErrorMessage(message, restart, showLog);
    if (chosen === restart) {
        await failures.guard(() => server.restart());
    } else if (chosen === showLog) {
        log.show();
    }
}
