// What `rsprof doctor --json` says, as Markdown.

interface Check {
    name: string;
    state: 'ok' | 'warn' | 'fail';
    seen: string;
    remedy: string;
}

const MARKS = { ok: '✓', warn: '⚠', fail: '✗' };

function cell(text: string): string {
    return text.replaceAll('|', '\\|');
}

function row(check: Check): string {
    return `| ${MARKS[check.state]} | ${cell(check.name)} | ${cell(check.seen)} |`;
}

/* Commands stand alone, so that they can be copied. */
function remedy(check: Check): string {
    const text = check.remedy.startsWith('sudo ') ? `\n\n\`\`\`sh\n${check.remedy}\n\`\`\`` : ` ${check.remedy}`;
    return `**${check.name}**:${text}`;
}

/** A table of what was seen, and under it what mends what is missing. What is no list of checks is shown as it is. */
export function checksTable(json: string): string {
    try {
        const { checks } = JSON.parse(json) as { checks: Check[] };
        const remedies = checks.filter((check) => check.remedy !== '').map(remedy);
        return [['|  |  |  |', '| --- | --- | --- |', ...checks.map(row)].join('\n'), ...remedies].join('\n\n');
    } catch {
        return `\`\`\`\n${json}\n\`\`\``;
    }
}
