// A headless Chromium with a profile of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];

export async function openBrowser({ width = 1280, height = 760, scale = 1 } = {}) {
    const profile = mkdtempSync(path.join(tmpdir(), 'rsprof-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        headless: true,
        viewport: { width, height },
        deviceScaleFactor: scale,
        args: ARGUMENTS,
    });
    return {
        page: context.pages()[0] ?? (await context.newPage()),
        async close() {
            await context.close();
            rmSync(profile, { recursive: true, force: true });
        },
    };
}
