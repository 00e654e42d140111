// A small Rust project in a temporary folder, for tests that need no running process.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SOURCE = `use std::collections::HashMap;

fn parse(input: &str) -> Vec<String> {
    input
        .split(',')
        .map(|part| part.to_string())
        .collect()
}

fn checksum(rows: &[Vec<String>]) -> usize {
    rows.iter().flatten().map(String::len).sum()
}

fn main() {
    let input = "alpha,beta,gamma".repeat(100);
    let keep: Vec<u8> = Vec::with_capacity(64 << 20);
    let mut rows = Vec::new();
    let mut seen: HashMap<usize, usize> = HashMap::new();
    loop {
        rows.push(parse(&input));
        *seen.entry(checksum(&rows)).or_default() += keep.len();
        if rows.len() > 96 {
            rows.clear();
        }
    }
}
`;

export function makeProject(settings = {}) {
    const folder = mkdtempSync(path.join(tmpdir(), 'rsprof-project-'));
    mkdirSync(path.join(folder, 'src'));
    writeFileSync(path.join(folder, 'src/main.rs'), SOURCE);
    mkdirSync(path.join(folder, '.vscode'));
    writeFileSync(path.join(folder, '.vscode/settings.json'), JSON.stringify(settings));
    return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A project around a real program: its source, and the program as if built there. Paths of the build are mapped. */
export class RealProject {
    #root;
    #process;

    constructor(binary, source) {
        this.name = path.basename(binary);
        this.#root = mkdtempSync(path.join(tmpdir(), 'rsprof-real-'));
        this.folder = path.join(this.#root, this.name);
        this.source = path.join('src', path.basename(source));
        this.program = path.join(this.folder, 'target/release', this.name);
        mkdirSync(path.dirname(this.program), { recursive: true });
        mkdirSync(path.join(this.folder, 'src'));
        copyFileSync(binary, this.program);
        mkdirSync(path.join(this.folder, '.vscode'));
        writeFileSync(path.join(this.folder, '.vscode/settings.json'), '{}');
        const copy = path.join(this.folder, this.source);
        copyFileSync(source, copy);
        /* A source that is newer than the program would be told as changed since. */
        const { atime, mtime } = statSync(source);
        utimesSync(copy, atime, mtime);
        this.sourceMap = [`${path.dirname(path.resolve(source))}=${path.join(this.folder, 'src')}`];
    }

    get pid() {
        return this.#process?.pid;
    }

    start() {
        this.#process = spawn(this.program, [], { stdio: 'ignore' });
    }

    stop() {
        this.#process?.kill('SIGKILL');
        this.#process = undefined;
    }

    remove() {
        this.stop();
        rmSync(this.#root, { recursive: true, force: true });
    }
}

/** Tells the fake server to do something; see fake/rsprof. */
export function tellServer(folder, word) {
    const file = path.join(folder, '.rsprof-fake/command');
    writeFileSync(`${file}.new`, `${word}\n`);
    renameSync(`${file}.new`, file);
}
