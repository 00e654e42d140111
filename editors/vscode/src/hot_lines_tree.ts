// The view Hot Lines: live while it is visible, hottest first, of files open or not; a click goes to the line.
import * as vscode from 'vscode';
import type { Failures } from './failures';
import { heatLevel, lineKind } from './heat';
import {
    fileNodes,
    fileSums,
    lineNodes,
    mergedLines,
    sameLines,
    type FileNode,
    type Grouping,
    type HotNode,
    type LineNode,
} from './hot_lines';
import type { HotLine } from './protocol';
import type { Server } from './server';
import type { Session } from './session';
import { viewSettings } from './settings';
import { formatBytes, formatShare } from './units';

const LIMIT = 50;
const GROUPING = 'rsprof.hotLinesGrouping';

export class HotLinesTree implements vscode.TreeDataProvider<HotNode>, vscode.Disposable {
    private lines: HotLine[] = [];
    private grouping: Grouping;
    private asking = false;
    private readonly changeEmitter = new vscode.EventEmitter<undefined>();
    private readonly view: vscode.TreeView<HotNode>;
    private readonly disposables: vscode.Disposable[] = [this.changeEmitter];

    readonly onDidChangeTreeData = this.changeEmitter.event;

    constructor(
        private readonly server: Server,
        private readonly session: Session,
        failures: Failures,
        private readonly memory: vscode.Memento,
        private readonly log: vscode.LogOutputChannel,
    ) {
        this.grouping = memory.get<Grouping>(GROUPING, 'line');
        this.view = vscode.window.createTreeView('rsprof.hotLines', { treeDataProvider: this });
        const group = (name: string, grouping: Grouping): vscode.Disposable =>
            vscode.commands.registerCommand(name, () => failures.guard(() => this.group(grouping)));
        this.disposables.push(
            this.view,
            session.onStatus(() => void this.refresh()),
            this.view.onDidChangeVisibility(() => void this.refresh()),
            group('rsprof.groupByFile', 'file'),
            group('rsprof.groupByLine', 'line'),
            vscode.commands.registerCommand('rsprof.showHotLines', () =>
                vscode.commands.executeCommand('rsprof.hotLines.focus'),
            ),
        );
        this.setContext();
    }

    dispose(): void {
        vscode.Disposable.from(...this.disposables).dispose();
    }

    getChildren(node?: HotNode): HotNode[] {
        if (node === undefined) {
            return this.grouping === 'file' ? fileNodes(this.lines) : lineNodes(this.lines);
        }
        return node.kind === 'file' ? lineNodes(node.lines) : [];
    }

    getTreeItem(node: HotNode): vscode.TreeItem {
        return node.kind === 'file' ? fileItem(node) : this.lineItem(node);
    }

    private lineItem({ line }: LineNode): vscode.TreeItem {
        const uri = vscode.Uri.parse(line.uri);
        const file = uri.path.split('/').at(-1) ?? '';
        const where = this.grouping === 'file' ? `line ${line.line + 1}` : `${file}:${line.line + 1}`;
        const item = new vscode.TreeItem(where);
        item.id = `${line.uri}#${line.line}`;
        item.description = `${line.label.trim()}   ${line.function}`;
        item.tooltip = `${line.function}\n${uri.fsPath}:${line.line + 1}\n${line.label.trim()}`;
        const { metric } = viewSettings();
        const kind = lineKind(line, metric, this.session.status.heap.liveBytes);
        const color = new vscode.ThemeColor(`rsprof.${kind}Heat${heatLevel(line.heat)}`);
        item.iconPath = new vscode.ThemeIcon(kind === 'cpu' ? 'circle-filled' : 'database', color);
        item.command = goTo(uri, line.line);
        return item;
    }

    private async group(grouping: Grouping): Promise<void> {
        this.grouping = grouping;
        this.setContext();
        this.changeEmitter.fire(undefined);
        await this.memory.update(GROUPING, grouping);
    }

    private async refresh(): Promise<void> {
        const { state } = this.session.status;
        if (state !== 'running' && state !== 'lost') {
            this.show([]);
            return;
        }
        if (!this.view.visible || this.asking) {
            return;
        }
        this.asking = true;
        try {
            this.show(await this.ask());
        } catch (error) {
            /* The next tick asks again; that the server is gone, or nothing is attached any more, is said elsewhere. */
            this.log.debug(`hot lines: ${String(error)}`);
        } finally {
            this.asking = false;
        }
    }

    /* With both metrics shown, what holds the most heap is as hot as what uses the most CPU. */
    private async ask(): Promise<HotLine[]> {
        const hottest = async (metric: 'cpu' | 'heap'): Promise<HotLine[]> =>
            (await this.server.request('rsprof/hotLines', { metric, limit: LIMIT })).lines;
        const { metric } = viewSettings();
        if (metric !== 'both') {
            return hottest(metric);
        }
        const [cpu, heap] = await Promise.all([hottest('cpu'), hottest('heap')]);
        return mergedLines(cpu, heap).slice(0, LIMIT);
    }

    private show(lines: HotLine[]): void {
        if (!sameLines(this.lines, lines)) {
            this.lines = lines;
            this.changeEmitter.fire(undefined);
        }
    }

    private setContext(): void {
        void vscode.commands.executeCommand('setContext', GROUPING, this.grouping);
    }
}

function fileItem(node: FileNode): vscode.TreeItem {
    const uri = vscode.Uri.parse(node.uri);
    const item = new vscode.TreeItem(uri, vscode.TreeItemCollapsibleState.Expanded);
    const { cpu, liveBytes } = fileSums(node);
    item.id = node.uri;
    item.description = `${formatShare(cpu)}  ${formatBytes(liveBytes)}`;
    item.tooltip = uri.fsPath;
    item.iconPath = vscode.ThemeIcon.File;
    return item;
}

function goTo(uri: vscode.Uri, line: number): vscode.Command {
    const selection = new vscode.Range(line, 0, line, 0);
    return { command: 'vscode.open', title: 'Go to Line', arguments: [uri, { selection }] };
}
