// VS Code's workbench as a person uses it: the palette, the quick pick, the editor, the status bar.
import { mkdirSync } from 'node:fs';
import path from 'node:path';

const TIMEOUT_MS = 30_000;
const ATTEMPT_MS = 5_000;

/** Whether something was done in time; other errors are the caller's. */
async function attempt(action) {
    try {
        await action();
        return true;
    } catch (error) {
        if (error.name !== 'TimeoutError') {
            throw error;
        }
        return false;
    }
}

/** Runs in the page: the visible lines of the editor, with what is drawn after them and beside them. */
function readLines() {
    const plain = (text) => text.replace(/[\u00a0\u2007]/g, ' ');
    const unquote = (text) => (/^".*"$/s.test(text) ? JSON.parse(text) : '');
    const editor = document.querySelector('.editor-instance .monaco-editor');
    if (editor === null) {
        return [];
    }
    const numbers = [...editor.querySelectorAll('.margin-view-overlays > div')].map((row) => ({
        top: row.getBoundingClientRect().top,
        number: Number(row.querySelector('.line-numbers')?.textContent ?? NaN),
    }));
    const overlays = [...editor.querySelectorAll('.view-overlays > div')].map((row) => ({
        top: row.getBoundingClientRect().top,
        /* Other marks, of brackets that match, have borders all around. */
        bar: [...row.querySelectorAll('.cdr')].map((mark) => getComputedStyle(mark)).some(
            (style) => parseFloat(style.borderLeftWidth) > 0 && parseFloat(style.borderRightWidth) === 0),
    }));
    const near = (list, top) => list.find((row) => Math.abs(row.top - top) < 2);
    return [...editor.querySelectorAll('.view-lines > .view-line')].map((line) => {
        const { top } = line.getBoundingClientRect();
        const spans = [...line.querySelectorAll('span')];
        const drawn = spans.map((span) => ({ span, style: getComputedStyle(span, '::after') }));
        const marked = drawn.find(({ style }) => unquote(style.content) !== '');
        return {
            number: near(numbers, top)?.number ?? NaN,
            text: plain(line.textContent),
            after: marked === undefined ? '' : plain(unquote(marked.style.content)).trim(),
            color: marked?.style.color ?? '',
            bar: near(overlays, top)?.bar ?? false,
        };
    }).sort((a, b) => a.number - b.number);
}

export class Workbench {
    constructor(page, shots) {
        this.page = page;
        this.shots = shots;
        mkdirSync(shots, { recursive: true });
    }

    async open(url) {
        await this.page.goto(url);
        await this.page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 60_000 });
    }

    async openFile(name) {
        await this.page.keyboard.press('Control+p');
        await this.#typeInto(name);
        await this.#takeFirst(path.basename(name));
        await this.page.locator('.tab.active', { hasText: path.basename(name) }).waitFor({ timeout: TIMEOUT_MS });
        await this.page.locator('.view-lines .view-line').first().waitFor({ timeout: TIMEOUT_MS });
    }

    /** Replaces the text of a file in its editor, and saves it. */
    async writeFile(name, text) {
        await this.openFile(name);
        await this.page.locator('.editor-instance .view-lines').first().click();
        await this.page.keyboard.press('Control+a');
        await this.page.keyboard.insertText(text);
        await this.page.keyboard.press('Control+s');
        await this.page.locator('.tab.active.dirty').waitFor({ state: 'detached', timeout: TIMEOUT_MS });
    }

    /** Runs a command as a person does: F1, its title, a click. A list that was still closing may take the new one along. */
    async command(title) {
        await this.until(`the command ${title}`, () => attempt(async () => {
            await this.page.keyboard.press('F1');
            await this.#typeInto(`>${title}`, ATTEMPT_MS);
            await this.row(title).click({ timeout: ATTEMPT_MS });
        }));
        await this.restPointer();
    }

    async #typeInto(text, timeout = TIMEOUT_MS) {
        const input = this.page.locator('.quick-input-widget input').first();
        await input.waitFor({ timeout });
        await input.fill(text, { timeout });
    }

    /** Takes the first row, once it is the one that was meant. */
    async #takeFirst(text) {
        const rows = this.page.locator('.quick-input-list .monaco-list-row');
        await this.until(`${text} is found`, async () => (await rows.allTextContents())[0]?.includes(text));
        await this.page.keyboard.press('Enter');
    }

    async chooseTheme(name) {
        await this.command('Preferences: Color Theme');
        await this.#typeInto(name);
        await this.#takeFirst(name);
    }

    row(text) {
        return this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
    }

    async pick(text) {
        await this.row(text).waitFor({ timeout: TIMEOUT_MS });
        await this.row(text).click();
    }

    lines() {
        return this.page.evaluate(readLines);
    }

    /** The visible lines that carry an annotation. */
    async annotations() {
        return (await this.lines()).filter(({ after }) => after !== '');
    }

    /** Waits until `test` of the visible lines holds; `what` says it for people. */
    async waitForLines(what, test, timeout = TIMEOUT_MS) {
        return this.until(what, async () => {
            const lines = await this.lines();
            return test(lines) ? lines : undefined;
        }, timeout);
    }

    async until(what, probe, timeout = TIMEOUT_MS) {
        const end = Date.now() + timeout;
        for (;;) {
            const found = await probe();
            if (found !== undefined && found !== false) {
                return found;
            }
            if (Date.now() > end) {
                await this.shot('failed');
                throw new Error(`waited in vain: ${what}; see failed.png`);
            }
            await this.page.waitForTimeout(50);
        }
    }

    statusItem() {
        return this.page.locator('.statusbar-item[id*="rsprof.status"]');
    }

    async statusText() {
        return ((await this.statusItem().textContent()) ?? '').replace(/[\u00a0\u2007]/g, ' ').replace(/\s+/g, ' ').trim();
    }

    async waitForStatus(pattern, timeout = TIMEOUT_MS) {
        return this.until(`status bar says ${pattern}`, async () => {
            const text = await this.statusText();
            return pattern.test(text) ? text : undefined;
        }, timeout);
    }

    notification(text) {
        return this.page.locator('.notification-toast', { hasText: text }).first();
    }

    async closeNotifications() {
        await this.command('Notifications: Clear All Notifications');
    }

    /** Puts the pointer where it brings up nothing. */
    async restPointer() {
        await this.page.mouse.move(5, 5);
    }

    /** The hover that comes up when the pointer rests here. What closes meanwhile may take it along. */
    async hoverAt(x, y) {
        const hover = this.page.locator('.monaco-hover:not(.hidden) .hover-contents', { hasText: 'CPU' }).first();
        await this.until('the hover', () => attempt(async () => {
            await this.restPointer();
            await this.page.mouse.move(x, y);
            await hover.waitFor({ timeout: ATTEMPT_MS });
        }));
        return (await hover.innerText()).replace(/\u00a0/g, ' ');
    }

    /** … when it rests on this text of the editor. */
    async hoverOver(text) {
        const { x, y } = await this.page.locator('.view-lines .view-line', { hasText: text }).first().boundingBox();
        return this.hoverAt(x + 90, y + 8);
    }

    treeRows() {
        return this.page.locator('.pane-body .monaco-list-row .monaco-tl-contents').allInnerTexts();
    }

    async shot(name) {
        /* What fades in or out is to be over. */
        await this.page.waitForTimeout(400);
        await this.page.screenshot({ path: path.join(this.shots, `${name}.png`) });
    }
}
