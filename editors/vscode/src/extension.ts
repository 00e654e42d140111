// Wires the features together; each is in its own file.
import * as vscode from 'vscode';
import { Attach } from './attach';
import { registerCheckSetup } from './check_setup';
import { Failures } from './failures';
import { HotLinesTree } from './hot_lines_tree';
import { registerHover } from './hover';
import { registerMenu } from './menu';
import { registerMetric } from './metric';
import { registerNavigation } from './navigate';
import { Notices } from './notices';
import { Painter } from './painter';
import { Server } from './server';
import { Session } from './session';
import { StatusBar } from './status_bar';

export function activate(context: vscode.ExtensionContext): void {
    const log = vscode.window.createOutputChannel('rsprof', { log: true });
    const server = new Server(context.extensionPath, log);
    const session = new Session(server);
    const failures = new Failures(log);
    const painter = new Painter(session);
    const memory = context.workspaceState;
    context.subscriptions.push(
        log,
        server,
        session,
        painter,
        new StatusBar(session),
        new Attach(server, session, failures, memory),
        new HotLinesTree(server, session, failures, memory, log),
        new Notices(server, session, failures, log),
        registerHover(server, session, log),
        registerNavigation(server, session, failures),
        registerMetric(server, failures),
        registerMenu(session),
        registerCheckSetup(server, session),
        vscode.commands.registerCommand('rsprof.toggleAnnotations', () => {
            painter.toggle();
        }),
        vscode.commands.registerCommand('rsprof.showLog', () => {
            log.show();
        }),
        vscode.commands.registerCommand('rsprof.restartServer', () => failures.guard(() => server.restart())),
    );
}
