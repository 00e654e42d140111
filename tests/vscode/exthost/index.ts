// Mocha inside a real extension host: VS Code calls run(), as of any extension under test.
import { createRequire } from 'node:module';
import path from 'node:path';
import type MochaClass from 'mocha';
import { defineBenchmark } from './benchmark';
import { defineExtensionTests } from './extension';

declare const TESTS_FOLDER: string;

const Mocha = createRequire(path.join(TESTS_FOLDER, 'package.json'))('mocha') as typeof MochaClass;

export function run(): Promise<void> {
    const mocha = new Mocha({ ui: 'tdd', timeout: 20_000, color: false, reporter: 'spec' });
    mocha.suite.emit('pre-require', globalThis, '', mocha);
    defineExtensionTests();
    defineBenchmark();
    return new Promise((resolve, reject) => {
        mocha.run((failures) => {
            if (failures === 0) {
                resolve();
            } else {
                reject(new Error(`${failures} tests failed`));
            }
        });
    });
}
