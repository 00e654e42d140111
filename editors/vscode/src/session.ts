// What the extension knows of the attachment: its state and the annotations of the open documents. The features listen here.
import * as vscode from 'vscode';
import { AnnotationModel } from './annotation_model';
import { editOf, type Edit } from './edits';
import type { AnnotationsParams, SessionState, StatusParams } from './protocol';
import type { Server } from './server';
import { viewSettings } from './settings';

const DETACHED: StatusParams = {
    state: 'detached',
    pid: 0,
    exe: '',
    cpu: { samples: 0, lost: 0, freqHz: 0, stacksComplete: 1, processCores: 0 },
    heap: {
        mode: 'off',
        intervalBytes: 0,
        samples: 0,
        kernelSamples: 0,
        liveBytes: 0,
        liveBlocks: 0,
        allocBytesPerSec: 0,
        allocsPerSec: 0,
        lost: 0,
        processHeapBytes: 0,
    },
    overhead: { fraction: 0 },
    symbols: { firstAnnotationMs: 0, modules: 0 },
    hints: [],
};

export interface StateChange {
    before: SessionState;
    now: StatusParams;
}

export interface DocumentEdit {
    document: vscode.TextDocument;
    edits: Edit[];
}

export class Session implements vscode.Disposable {
    private lastStatus = DETACHED;
    private readonly models = new Map<string, AnnotationModel>();
    private readonly disposables: vscode.Disposable[] = [];

    private readonly statusEmitter = new vscode.EventEmitter<StatusParams>();
    private readonly stateEmitter = new vscode.EventEmitter<StateChange>();
    private readonly annotationsEmitter = new vscode.EventEmitter<vscode.Uri>();
    private readonly editEmitter = new vscode.EventEmitter<DocumentEdit>();

    readonly onStatus = this.statusEmitter.event;
    readonly onState = this.stateEmitter.event;
    /** The annotations of this document look different now. Edits of the text do not fire it. */
    readonly onAnnotations = this.annotationsEmitter.event;
    /** The text of a Rust document changed, and its annotations have moved with it. */
    readonly onEdit = this.editEmitter.event;

    constructor(server: Server) {
        this.disposables.push(
            this.statusEmitter,
            this.stateEmitter,
            this.annotationsEmitter,
            this.editEmitter,
            server.onStatus((status) => {
                this.takeStatus(status);
            }),
            server.onAnnotations((annotations) => {
                this.takeAnnotations(annotations);
            }),
            server.onDown(() => {
                this.takeStatus(DETACHED);
                this.clear();
            }),
            vscode.workspace.onDidChangeTextDocument((event) => {
                this.takeEdit(event);
            }),
            vscode.workspace.onDidCloseTextDocument((document) => {
                this.models.delete(document.uri.toString());
            }),
        );
        this.setContext();
    }

    get status(): StatusParams {
        return this.lastStatus;
    }

    get attached(): boolean {
        return this.lastStatus.state !== 'detached';
    }

    model(uri: vscode.Uri): AnnotationModel | undefined {
        return this.models.get(uri.toString());
    }

    dispose(): void {
        vscode.Disposable.from(...this.disposables).dispose();
    }

    private modelOf(uri: vscode.Uri): AnnotationModel {
        const key = uri.toString();
        let model = this.models.get(key);
        if (model === undefined) {
            model = new AnnotationModel();
            this.models.set(key, model);
        }
        return model;
    }

    private takeStatus(status: StatusParams): void {
        const before = this.lastStatus.state;
        this.lastStatus = status;
        if (status.state === 'running') {
            for (const model of this.models.values()) {
                model.tick();
            }
        }
        if (before !== status.state) {
            this.setContext();
            this.stateEmitter.fire({ before, now: status });
        }
        this.statusEmitter.fire(status);
    }

    private takeEdit({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
        if (document.languageId !== 'rust' || contentChanges.length === 0) {
            return;
        }
        const edits = contentChanges.map(editOf);
        const model = this.modelOf(document.uri);
        for (const edit of edits) {
            model.edit(document.version, edit);
        }
        this.editEmitter.fire({ document, edits });
    }

    private takeAnnotations(annotations: AnnotationsParams): void {
        /* The server's spelling of a URI need not be the editor's. */
        const uri = vscode.Uri.parse(annotations.uri);
        const changed = this.modelOf(uri).replace(annotations, {
            metric: viewSettings().metric,
            processLiveBytes: this.lastStatus.heap.liveBytes,
        });
        if (changed) {
            this.annotationsEmitter.fire(uri);
        }
    }

    private clear(): void {
        for (const [key, model] of this.models) {
            model.clear();
            this.annotationsEmitter.fire(vscode.Uri.parse(key));
        }
    }

    private setContext(): void {
        void vscode.commands.executeCommand('setContext', 'rsprof.state', this.lastStatus.state);
        void vscode.commands.executeCommand('setContext', 'rsprof.hasSession', this.attached);
    }
}
