import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hoverMarkdown } from '../../../editors/vscode/src/hover_text';
import { annotationGap, labelText, visualWidth } from '../../../editors/vscode/src/layout';
import { cargoTarget, processText } from '../../../editors/vscode/src/process_text';
import type { LineDetails, ProcessItem } from '../../../editors/vscode/src/protocol';
import { checksTable } from '../../../editors/vscode/src/setup_text';
import { bars } from '../../../editors/vscode/src/trend';
import { formatBytes, formatCount, formatDuration, formatShare, padNumber } from '../../../editors/vscode/src/units';

test('bytes, shares, counts and durations read well', () => {
    assert.deepEqual([0, 1023, 1536, 12_582_912, 1_048_575, 5 * 2 ** 30].map(formatBytes),
        ['0 B', '1023 B', '1.50 KiB', '12.0 MiB', '1.00 MiB', '5.00 GiB']);
    assert.deepEqual([0, 0.0001, 0.382, 0.9996].map(formatShare), ['0%', '<0.1%', '38.2%', '100%']);
    assert.deepEqual([96, 12_300, 4_500_000].map(formatCount), ['96', '12.3 k', '4.5 M']);
    assert.deepEqual([42, 200, 7500, 400_000].map(formatDuration), ['42 s', '3 min', '2 h 5 min', '4 d']);
    assert.equal(padNumber('1.9', 5).length, 5);
});

test('what the doctor says is a table, and commands that mend stand alone', () => {
    const checks = [{ name: 'kernel', state: 'ok', seen: 'Linux | 6.1', remedy: '' },
        { name: 'rights', state: 'fail', seen: 'none', remedy: 'sudo setcap x' },
        { name: 'heap', state: 'warn', seen: 'slow', remedy: 'Restart.' }];
    const text = checksTable(JSON.stringify({ ok: false, checks }));
    assert.match(text, /\| ✓ \| kernel \| Linux \\\| 6.1 \|\n\| ✗ \| rights \| none \|/);
    assert.match(text, /\*\*rights\*\*:\n\n```sh\nsudo setcap x\n```/);
    assert.match(text, /\*\*heap\*\*: Restart\./);
    assert.equal(checksTable('out of memory'), '```\nout of memory\n```');
});

test('annotations start at their column, or a gap after longer lines', () => {
    assert.equal(visualWidth('\tlet x', 4), 9);
    assert.equal(visualWidth('ab\tc', 4), 5);
    assert.equal(annotationGap(20, 80), 60);
    assert.equal(annotationGap(79, 80), 3);
    assert.equal(labelText(' 9.1%  3 B'), '\u00a09.1%\u00a0\u00a03\u00a0B');
});

test('the path of an executable tells what cargo built', () => {
    assert.equal(cargoTarget('/w/target/release/svc'), 'release');
    assert.equal(cargoTarget('/w/target/x86_64-unknown-linux-musl/release/svc'), 'release');
    assert.equal(cargoTarget('/w/target/debug/examples/fib'), 'debug example');
    assert.equal(cargoTarget('/w/target/debug/deps/svc-0123 (deleted)'), 'debug test or bench');
    assert.equal(cargoTarget('/usr/bin/svc'), '');
});

test('a process says what it is, or why it may not be attached to', () => {
    const item: ProcessItem = {
        pid: 7, name: 'svc', exe: '/w/target/release/svc', command: 'svc', user: 'me', uptimeSec: 81.5, cpuCores: 1.934,
        rust: true, debugInfo: 'lines', workspace: true, attachable: true,
    };
    assert.deepEqual(processText(item, ['/w']), {
        label: 'svc',
        description: 'release · pid 7 · 1.93 cores · up 82 s',
        detail: 'target/release/svc · line info · me',
    });
    const guarded = processText({ ...item, attachable: false, reason: 'belongs to root' }, []);
    assert.equal(guarded.label, '$(lock) svc');
    assert.equal(guarded.detail, '/w/target/release/svc · belongs to root');
});

const DETAILS: LineDetails = {
    uri: 'file:///w/a.rs', line: 4, function: 'svc::parse<T>', heat: 1, label: '38.2%',
    cpu: { self: 0.382, total: 0.51, samples: 760, cores: 0.74, kernelShare: 0.04 },
    heap: { selfLiveBytes: 1024, liveBytes: 2048, liveBlocks: 3, allocBytesPerSec: 10, allocsPerSec: 1, relStdErr: 0.02 },
    callers: [{ function: 'main', uri: 'file:///w/m(1).rs', line: 8, share: 1 }],
    callees: [{ function: 'core::str', share: 0.3 }],
};

test('the hover tells CPU, heap with its error, callers and callees', () => {
    const text = hoverMarkdown(DETAILS, { cpu: '▁█', heap: '' }, false);
    assert.match(text, /svc::parse\\<T\\>/);
    assert.match(text, /38\.2% self, 51\.0% total \(0\.74 cores, 4\.0% of it in the kernel; 760 samples\) &nbsp; <span style="color:var\(--vscode-rsprof-cpuHeat3\);">▁█<\/span>/);
    assert.match(text, /1\.00 KiB ± 2\.0% live, 2\.00 KiB with all it calls, in 3 blocks/);
    assert.match(text, /\[main\]\(file:\/\/\/w\/m%281%29\.rs#L9\)/);
    assert.match(text, /30\.0% core::str/);
});

test('a hover leaves out what a line does not cost', () => {
    const idle = { ...DETAILS, cpu: { ...DETAILS.cpu, samples: 0 }, callers: [], callees: [] };
    const text = hoverMarkdown(idle, { cpu: '', heap: '' }, true);
    assert.doesNotMatch(text, /CPU|Called from|Calls/);
    assert.match(text, /has changed since/);
});

test('a trend needs two values and something to show', () => {
    assert.equal(bars([1]), '');
    assert.equal(bars([0, 0]), '');
    assert.equal(bars([0, 1, 2]), '▁▄▇');
    assert.equal(bars([60, 80, 100]), '▁▄▇');
    assert.equal(bars([96, 100, 98]), '▂▂▂');
});
