import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

interface Manifest {
    capabilities: { untrustedWorkspaces: { supported: string; restrictedConfigurations: string[] } };
    contributes: {
        commands: { command: string; title: string }[];
        colors: { id: string; defaults: Record<string, string> }[];
        configuration: { properties: Record<string, { default: unknown; markdownDescription?: string }> };
        keybindings?: unknown;
    };
}

const extension = process.env.EXTENSION_SOURCE ?? '';
const manifest = JSON.parse(readFileSync(path.join(extension, 'package.json'), 'utf8')) as Manifest;
const readme = readFileSync(path.join(extension, 'README.md'), 'utf8');

test('the README tells every setting with its default', () => {
    for (const [name, { default: value }] of Object.entries(manifest.contributes.configuration.properties)) {
        const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
        assert.ok(row !== undefined, `${name} has a row`);
        const shown = typeof value === 'string' ? value : JSON.stringify(value);
        assert.ok(row.includes(shown === '' ? '| |' : `| \`${shown}\` |`), `${name} has the default ${shown}`);
    }
});

test('the README tells every command of the palette', () => {
    for (const { title } of manifest.contributes.commands) {
        const plain = title.replace(/ Hot Line$/, '').replace(/^Go to (Next|Previous)$/, 'Go to Next / Previous');
        const told = readme.includes(plain) || /Hot Lines (by|Singly)/.test(title);
        assert.ok(told, `${title} is told`);
    }
});

test('colours have defaults for all kinds of themes', () => {
    for (const { id, defaults } of manifest.contributes.colors) {
        assert.deepEqual(Object.keys(defaults).sort(), ['dark', 'highContrast', 'highContrastLight', 'light'], id);
    }
});

/** Contrast of two colours as WCAG 2 defines it, 1 to 21. */
function contrast(a: string, b: string): number {
    const luminance = (color: string): number => {
        const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
            const part = parseInt(color.slice(at, at + 2), 16) / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
}

test('text in every colour can be read on its background', () => {
    const backgrounds = { light: '#ffffff', dark: '#1f1f1f', highContrast: '#000000', highContrastLight: '#ffffff' };
    for (const { id, defaults } of manifest.contributes.colors) {
        for (const [theme, background] of Object.entries(backgrounds)) {
            const least = theme.startsWith('highContrast') ? 7 : 4.5;
            const found = contrast(defaults[theme] ?? '', background);
            assert.ok(found >= least, `${id} in ${theme}: ${found.toFixed(1)} < ${least}`);
        }
    }
});

test('a workspace that is not trusted cannot choose what is run', () => {
    const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    assert.equal(supported, 'limited');
    assert.ok(['rsprof.server.path', 'rsprof.server.arguments'].every((name) => restrictedConfigurations.includes(name)));
});

test('no key binding collides, for there is none', () => {
    assert.equal(manifest.contributes.keybindings, undefined);
});
