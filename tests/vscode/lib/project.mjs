// A small Rust project in a temporary folder, for tests that need no running process.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** Tells the fake server to do something; see fake/rsprof. */
export function tellServer(folder, word) {
    writeFileSync(path.join(folder, '.rsprof-fake/command'), `${word}\n`);
}
