// Draws annotations in the visible editors: text after the line, a bar at its left edge, a mark in the overview ruler.
//
// An editor is drawn again only where its lines differ from what is on its screen. Marks follow the text by themselves; after an
// edit that may have misplaced some, those are put right at once.
import * as vscode from 'vscode';
import type { Mark } from './annotation_model';
import { Drawn, type DrawnLine } from './drawn';
import { annotationGap, GAP, labelText, visualWidth } from './layout';
import { lookOf, Looks, type LookName } from './looks';
import type { DocumentEdit, Session } from './session';
import { drawingSettings, type DrawingSettings } from './settings';

/* While one types in a line, its annotation keeps its distance; then it goes back to its column. */
const ALIGN_DELAY_MS = 250;

function isRustFile(document: vscode.TextDocument): boolean {
    return document.languageId === 'rust' && document.uri.scheme === 'file';
}

export class Painter implements vscode.Disposable {
    private settings: DrawingSettings = drawingSettings();
    private looks = new Looks(this.settings.overviewRuler);
    private drawn = new WeakMap<vscode.TextEditor, Drawn<LookName>>();
    private enabled = true;
    private alignTimer: NodeJS.Timeout | undefined;
    private readonly disposables: vscode.Disposable[] = [];

    constructor(private readonly session: Session) {
        this.disposables.push(
            session.onAnnotations((uri) => {
                this.paintDocument(uri);
            }),
            vscode.window.onDidChangeVisibleTextEditors((editors) => {
                editors.forEach((editor) => {
                    this.paint(editor);
                });
            }),
            vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
                if (this.settings.mode === 'currentLine') {
                    this.paint(textEditor);
                }
            }),
            vscode.window.onDidChangeTextEditorOptions(({ textEditor }) => {
                this.paint(textEditor);
            }),
            session.onEdit((edit) => {
                this.onEdit(edit);
            }),
            vscode.workspace.onDidChangeConfiguration((event) => {
                if (event.affectsConfiguration('rsprof.annotations')) {
                    this.restyle();
                }
            }),
        );
        this.paintAll();
    }

    toggle(): void {
        this.enabled = !this.enabled;
        this.paintAll();
    }

    dispose(): void {
        clearTimeout(this.alignTimer);
        vscode.Disposable.from(...this.disposables).dispose();
        this.looks.dispose();
    }

    private paintAll(): void {
        vscode.window.visibleTextEditors.forEach((editor) => {
            this.paint(editor);
        });
    }

    private paintDocument(uri: vscode.Uri): void {
        const key = uri.toString();
        for (const editor of vscode.window.visibleTextEditors) {
            if (editor.document.uri.toString() === key) {
                this.paint(editor);
            }
        }
    }

    /* New types replace the old ones, and with them all that is drawn. */
    private restyle(): void {
        this.settings = drawingSettings();
        this.looks.dispose();
        this.looks = new Looks(this.settings.overviewRuler);
        this.drawn = new WeakMap();
        this.paintAll();
    }

    private onEdit({ document, edits }: DocumentEdit): void {
        for (const editor of vscode.window.visibleTextEditors) {
            const drawn = this.drawn.get(editor);
            if (drawn === undefined || editor.document !== document) {
                continue;
            }
            const disturbed = edits.map((edit) => drawn.edit(edit)).some(Boolean);
            if (disturbed) {
                this.paint(editor);
            }
        }
        if (this.settings.column > 0) {
            clearTimeout(this.alignTimer);
            this.alignTimer = setTimeout(() => {
                this.paintDocument(document.uri);
            }, ALIGN_DELAY_MS);
        }
    }

    private paint(editor: vscode.TextEditor): void {
        if (!isRustFile(editor.document)) {
            return;
        }
        const model = this.session.model(editor.document.uri);
        const wanted = new Map<LookName, DrawnLine[]>();
        if (this.enabled && model !== undefined && !model.empty) {
            for (const mark of model.marks) {
                if (mark.line >= editor.document.lineCount) {
                    continue;
                }
                const look = lookOf(mark, model.stale);
                const lines = wanted.get(look);
                const line = this.place(editor, mark);
                if (lines === undefined) {
                    wanted.set(look, [line]);
                } else {
                    lines.push(line);
                }
            }
        }
        this.show(editor, wanted);
    }

    private show(editor: vscode.TextEditor, wanted: Map<LookName, DrawnLine[]>): void {
        let drawn = this.drawn.get(editor);
        if (drawn === undefined) {
            drawn = new Drawn();
            this.drawn.set(editor, drawn);
        }
        for (const [look, type] of this.looks.entries()) {
            const lines = wanted.get(look) ?? [];
            if (drawn.update(look, lines)) {
                editor.setDecorations(type, lines.map((line) => decoration(editor.document, line)));
            }
        }
    }

    private place(editor: vscode.TextEditor, mark: Mark): DrawnLine {
        const { mode, column } = this.settings;
        const hidden =
            mode === 'gutter' ||
            (mode === 'currentLine' && !editor.selections.some((selection) => selection.active.line === mark.line));
        if (hidden) {
            return { line: mark.line, text: '', gap: GAP };
        }
        const text = labelText(mark.source.label);
        if (column === 0) {
            return { line: mark.line, text, gap: GAP };
        }
        const tabSize = typeof editor.options.tabSize === 'number' ? editor.options.tabSize : 4;
        const end = visualWidth(editor.document.lineAt(mark.line).text, tabSize);
        return { line: mark.line, text, gap: annotationGap(end, column) };
    }
}

function decoration(document: vscode.TextDocument, line: DrawnLine): vscode.DecorationOptions {
    const range = document.lineAt(line.line).range;
    if (line.text === '') {
        return { range };
    }
    const margin = line.gap === GAP ? {} : { margin: `0 0 0 ${line.gap}ch` };
    return { range, renderOptions: { after: { contentText: line.text, ...margin } } };
}
