// A process as the picker shows it.
import type { ProcessItem } from './protocol';
import { formatCores, formatDuration } from './units';

/** What cargo built, told from where the executable lies: "release", "debug example fib", "release test". Empty: not cargo's. */
export function cargoTarget(exe: string): string {
    const parts = exe.replace(/ \(deleted\)$/, '').split('/');
    const target = parts.lastIndexOf('target');
    if (target < 0 || target >= parts.length - 2) {
        return '';
    }
    const below = parts.slice(target + 1, -1);
    const last = below.at(-1) ?? '';
    const special: Record<string, string> = { examples: 'example', deps: 'test or bench' };
    const kind = special[last];
    const profile = kind === undefined ? last : (below.at(-2) ?? '');
    return kind === undefined ? profile : `${profile} ${kind}`;
}

const DEBUG_INFO_TEXT = {
    lines: 'line info',
    symbols: 'no line info: functions only',
    none: 'no debug info',
    unknown: '',
} as const;

export interface ProcessText {
    label: string;
    description: string;
    detail: string;
}

/** `folders`: paths of the workspace folders, which are left off the executable's path. */
export function processText(item: ProcessItem, folders: readonly string[]): ProcessText {
    const folder = folders.find((path) => item.exe.startsWith(`${path}/`));
    const exe = folder === undefined ? item.exe : item.exe.slice(folder.length + 1);
    const numbers = [`pid ${item.pid}`, `${formatCores(item.cpuCores)} cores`, `up ${formatDuration(item.uptimeSec)}`];
    const target = cargoTarget(item.exe);
    const facts = item.attachable
        ? [item.rust ? DEBUG_INFO_TEXT[item.debugInfo] : 'not Rust', item.user]
        : [item.reason ?? 'may not be attached to'];
    return {
        label: `${item.attachable ? '' : '$(lock) '}${item.name}`,
        description: [...(target === '' ? [] : [target]), ...numbers].join(' · '),
        detail: [exe, ...facts].filter((text) => text !== '').join(' · '),
    };
}
