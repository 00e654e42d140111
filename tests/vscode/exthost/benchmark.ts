// What one update of a large file costs the extension host: a file of 5 000 lines, 500 of them annotated. It prints figures and
// asserts none: times differ between machines.
import * as vscode from 'vscode';
import { Painter } from '../../../editors/vscode/src/painter';
import type { AnnotatedLine, AnnotationsParams, StatusParams } from '../../../editors/vscode/src/protocol';
import type { Server } from '../../../editors/vscode/src/server';
import { Session } from '../../../editors/vscode/src/session';

const LINES = 5000;
const STEP = 10;
const ROUNDS = 40;

/** The events of a server that a session listens to. */
class Events {
    readonly annotations = new vscode.EventEmitter<AnnotationsParams>();
    readonly onAnnotations = this.annotations.event;
    readonly onStatus = new vscode.EventEmitter<StatusParams>().event;
    readonly onDown = new vscode.EventEmitter<undefined>().event;
}

function annotated(line: number, round: number): AnnotatedLine {
    const heat = (line % 100) / 100;
    const self = heat / 10 + round / 1000;
    return {
        line,
        heat,
        label: `${(self * 100).toFixed(1)}%  12.0 MiB`,
        cpu: { self, total: self, samples: 10 },
        heap: { selfLiveBytes: 0, liveBytes: 0, liveBlocks: 0, allocBytesPerSec: 0, allocsPerSec: 0, relStdErr: 0 },
    };
}

function update(uri: vscode.Uri, changed: (line: number) => boolean, round: number): AnnotationsParams {
    const lines = Array.from({ length: LINES / STEP }, (_, i) => annotated(i * STEP, changed(i) ? round : 0));
    return { uri: uri.toString(), version: 1, stale: false, lines };
}

async function measure(events: Events, make: (round: number) => AnnotationsParams): Promise<string> {
    const times: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
        const params = make(round);
        const start = process.hrtime.bigint();
        events.annotations.fire(params);
        times.push(Number(process.hrtime.bigint() - start) / 1e6);
        /* The host sends what was queued between updates, as in life. */
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(2);
    return `median ${at(0.5)} ms, 90th percentile ${at(0.9)} ms`;
}

export function defineBenchmark(): void {
    suite('benchmark', () => {
        test(`updates of ${LINES / STEP} annotated lines in a file of ${LINES}`, async () => {
            const content = Array.from({ length: LINES }, (_, i) => `    let value_${i} = compute(${i});`).join('\n');
            const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file('/');
            const file = vscode.Uri.joinPath(folder, 'large.rs');
            await vscode.workspace.fs.writeFile(file, Buffer.from(content));
            const document = await vscode.workspace.openTextDocument(file);
            await vscode.window.showTextDocument(document);
            const events = new Events();
            const session = new Session(events as unknown as Server);
            const painter = new Painter(session);
            const { uri } = document;
            await measure(events, (round) => update(uri, () => true, round));
            console.log(`    every label new:    ${await measure(events, (round) => update(uri, () => true, round))}`);
            console.log(`    one label in ten:   ${await measure(events, (round) => update(uri, (i) => i % 10 === 0, round))}`);
            console.log(`    nothing new:        ${await measure(events, () => update(uri, () => false, 0))}`);
            painter.dispose();
            session.dispose();
        });
    });
}
