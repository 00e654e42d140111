// Numbers as people read them. Widths are steady, so that text that is redrawn every second does not jump.

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
/** As wide as a digit, in fonts of any kind. */
const FIGURE_SPACE = '\u2007';

/** Three digits and a unit, as in the server's labels: "1.50 KiB", "12.0 MiB", "1023 GiB". */
export function formatBytes(bytes: number): string {
    let value = bytes;
    let unit = 0;
    while (value >= 1023.5 && unit < BYTE_UNITS.length - 1) {
        value /= 1024;
        unit++;
    }
    const decimals = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    return `${value.toFixed(decimals)} ${BYTE_UNITS[unit] ?? 'B'}`;
}

/** As in the server's labels: "38.2%", "100%", "<0.1%", "0%". */
export function formatShare(share: number): string {
    if (share <= 0) {
        return '0%';
    }
    if (share < 0.0005) {
        return '<0.1%';
    }
    return share >= 0.9995 ? '100%' : `${(share * 100).toFixed(1)}%`;
}

/** "1.93". */
export function formatCores(cores: number): string {
    return cores.toFixed(2);
}

/** "96", "12.3 k", "4.5 M". */
export function formatCount(count: number): string {
    if (count < 9999.5) {
        return Math.round(count).toString();
    }
    return count < 999_950 ? `${(count / 1e3).toFixed(1)} k` : `${(count / 1e6).toFixed(1)} M`;
}

/** "42 s", "3 min", "2 h 5 min", "4 d". */
export function formatDuration(seconds: number): string {
    if (seconds < 100) {
        return `${Math.round(seconds)} s`;
    }
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) {
        return `${minutes} min`;
    }
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

/** Right-aligned in `width` characters, also in proportional fonts. */
export function padNumber(text: string, width: number): string {
    return text.padStart(width, FIGURE_SPACE);
}
