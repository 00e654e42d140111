// What server/PROTOCOL.md says, taken from its text: methods, shapes (from the JSON examples), error codes.
import fs from 'node:fs';

export const root = new URL('../../../', import.meta.url);
export const contract = fs.readFileSync(new URL('server/PROTOCOL.md', root), 'utf8');

/** The parts of the page by heading. */
function sections() {
  const parts = new Map();
  for (const part of contract.split(/^#{2,3} /m).slice(1)) {
    const [heading] = part.split('\n', 1);
    parts.set(heading.replaceAll('`', ''), part);
  }
  return parts;
}

const parts = sections();

export function section(heading) {
  for (const [name, text] of parts) if (name.split(', ').includes(heading)) return text;
  throw new Error(`PROTOCOL.md has no section '${heading}'`);
}

/** The JSON examples of a section. */
export function examples(heading) {
  return [...section(heading).matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1]));
}

/** Methods that have a heading of their own. */
export function methods() {
  return [...contract.matchAll(/^### (.*)$/gm)].flatMap((match) => match[1].match(/(rsprof|\$)\/\w+/g) ?? []).sort();
}

/** Rows of the table of errors: name to code. */
export function errorCodes() {
  const rows = [...section('Errors').matchAll(/^\| (-?\d+) \| (\w+) \|/gm)];
  return Object.fromEntries(rows.map(([, code, name]) => [name, Number(code)]));
}

const optionalFields = { reason: 'string', uri: 'string', line: 'number' };

/** Differences between a value and an example of its shape, as sentences. Arrays are compared with the example's first item. */
export function differences(value, example, path = '') {
  const kind = (v) => (Array.isArray(v) ? 'array' : v === null ? 'null' : typeof v);
  if (kind(value) !== kind(example)) return [`${path || 'it'} is ${kind(value)}, not ${kind(example)}`];
  if (Array.isArray(value))
    return example.length ? value.flatMap((item, i) => differences(item, example[0], `${path}[${i}]`)) : [];
  if (kind(value) !== 'object') return [];
  const found = [];
  for (const key of Object.keys(example))
    if (!(key in value) && !(key in optionalFields && path.match(/calle[re]s\[/))) found.push(`${path}.${key} is missing`);
  for (const key of Object.keys(value)) {
    if (key in example) found.push(...differences(value[key], example[key], `${path}.${key}`));
    else if (typeof value[key] !== optionalFields[key]) found.push(`${path}.${key} is not in PROTOCOL.md`);
  }
  return found;
}
