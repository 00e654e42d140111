// Which server binary to run: the setting, the one in the extension, the first on PATH.
import { accessSync, chmodSync, constants, statSync } from 'node:fs';
import * as path from 'node:path';

export type ServerOrigin = 'setting' | 'extension' | 'PATH';

export interface ServerPath {
    path: string;
    origin: ServerOrigin;
}

export class ServerMissing extends Error {
    constructor(
        message: string,
        readonly hint: string,
    ) {
        super(message);
    }
}

function isFile(file: string): boolean {
    return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isExecutable(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return isFile(file);
    } catch {
        return false;
    }
}

/** Unpacking a .vsix may lose the mode; mends it. */
function carriedServer(extensionPath: string): string | undefined {
    const file = path.join(extensionPath, 'server', 'rsprof');
    if (isFile(file) && !isExecutable(file)) {
        try {
            chmodSync(file, 0o755);
        } catch {
            return undefined;
        }
    }
    return isExecutable(file) ? file : undefined;
}

/** Throws ServerMissing. `setting` may start with "~/"; `home` and `searchPath` are the values of HOME and PATH. */
export function findServer(setting: string, extensionPath: string, home: string, searchPath: string): ServerPath {
    if (setting !== '') {
        const file = setting.startsWith('~/') ? path.join(home, setting.slice(2)) : setting;
        if (!path.isAbsolute(file)) {
            throw new ServerMissing(`"${setting}" is not an absolute path.`, 'Give the full path in rsprof.server.path.');
        }
        if (!isExecutable(file)) {
            throw new ServerMissing(
                `${file} does not exist or cannot be executed.`,
                'Mend rsprof.server.path, or empty it to use the server that came with the extension.',
            );
        }
        return { path: file, origin: 'setting' };
    }
    const carried = carriedServer(extensionPath);
    if (carried !== undefined) {
        return { path: carried, origin: 'extension' };
    }
    for (const folder of searchPath.split(path.delimiter)) {
        const file = path.join(folder, 'rsprof');
        if (path.isAbsolute(folder) && isExecutable(file)) {
            return { path: file, origin: 'PATH' };
        }
    }
    throw new ServerMissing(
        'The rsprof server was not found.',
        'Install the linux-x64 package of the extension, or set rsprof.server.path.',
    );
}
