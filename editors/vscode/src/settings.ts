// The user's settings, typed. Nothing is kept: every read is current.
import * as vscode from 'vscode';
import type { AttachParams, Attribution, HeapMode, InitializationOptions, Metric, Period, View } from './protocol';

export type AnnotationMode = 'all' | 'currentLine' | 'gutter';
export type HoverMode = 'line' | 'annotation' | 'off';

export interface DrawingSettings {
    mode: AnnotationMode;
    column: number;
    overviewRuler: boolean;
}

function setting<T>(name: string, fallback: T): T {
    return vscode.workspace.getConfiguration('rsprof').get<T>(name, fallback);
}

export function serverPathSetting(): string {
    return setting('server.path', '').trim();
}

export function serverArgumentsSetting(): string[] {
    return setting<string[]>('server.arguments', []);
}

export function viewSettings(): View {
    return {
        metric: setting<Metric>('view.metric', 'both'),
        attribution: setting<Attribution>('view.attribution', 'self'),
        period: setting<Period>('view.period', 'window'),
        minShare: setting('view.minShare', 0.001),
    };
}

/** Stores one part of the view as a setting of the user. */
export async function updateView(view: Partial<View>): Promise<void> {
    const configuration = vscode.workspace.getConfiguration('rsprof');
    for (const [name, value] of Object.entries(view)) {
        await configuration.update(`view.${name}`, value, vscode.ConfigurationTarget.Global);
    }
}

export function samplingSettings(): Required<Omit<AttachParams, 'pid'>> {
    return {
        cpuFreqHz: setting('cpu.frequency', 199),
        heap: setting<HeapMode>('heap.mode', 'auto'),
        heapIntervalBytes: setting('heap.intervalBytes', 0),
        windowSec: setting('windowSeconds', 10),
    };
}

export function sourceMapSetting(): string[] {
    return setting<string[]>('sourceMap', []);
}

export function initializationOptions(): InitializationOptions {
    return { ...samplingSettings(), sourceMap: sourceMapSetting(), view: viewSettings() };
}

export function drawingSettings(): DrawingSettings {
    return {
        mode: setting<AnnotationMode>('annotations.mode', 'all'),
        column: setting('annotations.column', 0),
        overviewRuler: setting('annotations.overviewRuler', true),
    };
}

export function hoverSetting(): HoverMode {
    return setting<HoverMode>('hover', 'line');
}

export function autoReattachSetting(): boolean {
    return setting('autoReattach', false);
}
