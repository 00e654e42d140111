// PROTOCOL.md, C, TypeScript and Lua state the same methods, fields and error codes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { contract, errorCodes, examples, methods, root } from './lib/contract.mjs';

const read = (file) => fs.readFileSync(new URL(file, root), 'utf8');

// Made for tools; the editors have no use for it.
const notForEditors = ['rsprof/snapshot'];

function fieldsOf(value) {
  return Object.keys(Array.isArray(value) ? value[0] : value).sort();
}

/** Every shape that all sides state: its fields in PROTOCOL.md, its names in TypeScript and Lua. */
function shapes() {
  const annotations = examples('rsprof/annotations')[0];
  const status = examples('rsprof/status')[0];
  const hot = examples('rsprof/hotLines')[0];
  const details = examples('rsprof/lineDetails')[0];
  const processes = examples('rsprof/listProcesses')[0];
  const options = examples('Handshake')[0].initializationOptions;
  return [
    { fields: fieldsOf(options), ts: 'InitializationOptions', lua: 'InitializationOptions' },
    { fields: fieldsOf(options.view), ts: 'View', lua: 'View' },
    { fields: [...fieldsOf(processes.processes), 'reason'].sort(), ts: 'ProcessItem', lua: 'Process' },
    { fields: fieldsOf(annotations), ts: 'AnnotationsParams', lua: 'AnnotationsParams' },
    { fields: fieldsOf(annotations.lines), ts: 'AnnotatedLine', lua: 'Annotation' },
    { fields: fieldsOf(annotations.lines[0].cpu), ts: 'LineCpu', lua: 'LineCpu' },
    { fields: fieldsOf(annotations.lines[0].heap), ts: 'LineHeap', lua: 'LineHeap' },
    { fields: fieldsOf(hot.lines), ts: 'HotLine', lua: 'HotLine' },
    { fields: fieldsOf(details), ts: 'LineDetails', lua: 'LineDetails' },
    { fields: fieldsOf(details.cpu), ts: 'LineCpuDetails', lua: 'LineDetailsCpu' },
    { fields: fieldsOf(details.callers), ts: 'Relation', lua: 'Edge' },
    { fields: fieldsOf(status), ts: 'StatusParams', lua: 'StatusParams' },
    { fields: fieldsOf(status.cpu), ts: 'StatusCpu', lua: 'StatusCpu' },
    { fields: fieldsOf(status.heap), ts: 'StatusHeap', lua: 'StatusHeap' },
    { fields: ['cpuFreqHz', 'heap', 'heapIntervalBytes', 'pid', 'windowSec'], ts: 'AttachParams', lua: 'AttachParams' },
    { fields: ['exe', 'pid'], ts: 'AttachResult', lua: 'AttachResult' },
    { fields: ['limit', 'metric'], ts: 'HotLinesParams', lua: 'HotLinesParams' },
    { fields: ['line', 'uri'], ts: 'LineDetailsParams', lua: 'LineDetailsParams' },
    { fields: ['all'], ts: 'ListProcessesParams', lua: 'ListProcessesParams' },
  ];
}

test('protocol.h has the methods of PROTOCOL.md', () => {
  const header = read('server/lsp/protocol.h');
  const stated = [...header.matchAll(/#define METHOD_\w+\s+"([^"]+)"/g)].map((match) => match[1]);
  assert.deepEqual([...stated, '$/progress'].sort(), methods());
  assert.ok(contract.includes(`"${header.match(/PROGRESS_TOKEN "([^"]+)"/)[1]}"`));
  for (const [, command] of header.matchAll(/#define COMMAND_\w+\s+"([^"]+)"/g)) assert.ok(contract.includes(`\`${command}\``));
  const [, version] = header.match(/RSPROF_PROTOCOL_VERSION (\d+)/);
  assert.equal(examples('Handshake')[1].capabilities.experimental.rsprof.protocol, Number(version));
});

test('protocol.h and rpc.h have the error codes of PROTOCOL.md', () => {
  const stated = [...(read('server/lsp/protocol.h') + read('server/rpc/rpc.h')).matchAll(/(?:ERROR|RPC)_([A-Z_]+) = (-?\d+)/g)];
  const camel = (name) => name.toLowerCase().replace(/(^|_)(\w)/g, (all, dash, letter) => letter.toUpperCase());
  const { RequestCancelled, ...codes } = Object.fromEntries(stated.map(([, name, code]) => [camel(name), Number(code)]));
  assert.deepEqual(codes, errorCodes());
  assert.ok(contract.includes(`RequestCancelled (${RequestCancelled})`));
});

test('protocol.ts has the methods and error codes of PROTOCOL.md', () => {
  const typescript = read('editors/vscode/src/protocol.ts');
  const stated = [...typescript.matchAll(/'(rsprof\/\w+)'/g)].map((match) => match[1]);
  const expected = methods().filter((name) => name.startsWith('rsprof/') && !notForEditors.includes(name));
  assert.deepEqual([...new Set(stated)].sort(), expected);
  const codes = [...typescript.match(/ErrorCode = \{([^}]*)\}/)[1].matchAll(/(\w+): (-?\d+)/g)];
  assert.deepEqual(Object.fromEntries(codes.map(([, name, code]) => [name, Number(code)])), errorCodes());
});

test('protocol.lua has the methods and error codes of PROTOCOL.md', () => {
  const lua = read('editors/nvim/lua/rsprof/protocol.lua');
  const block = (name) => lua.match(new RegExp(`M\\.${name} = \\{([^}]*)\\}`))[1];
  const stated = [...block('methods').matchAll(/'([^']+)'/g)].map((match) => match[1]).sort();
  assert.deepEqual(stated, methods().filter((name) => !notForEditors.includes(name)));
  const codes = [...block('errors').matchAll(/(\w+) = (-?\d+)/g)];
  assert.deepEqual(Object.fromEntries(codes.map(([, name, code]) => [name, Number(code)])), errorCodes());
});

function typescriptFields(text, name) {
  const declared = text.match(new RegExp(`export interface ${name}( extends (\\w+))? \\{\\n([\\s\\S]*?)\\n\\}`));
  assert.ok(declared, `protocol.ts has no interface ${name}`);
  const own = [...declared[3].matchAll(/^ {4}(\w+)\??:/gm)].map((match) => match[1]);
  return [...(declared[2] ? typescriptFields(text, declared[2]) : []), ...own].sort();
}

function luaFields(text, name) {
  const declared = text.match(new RegExp(`---@class rsprof\\.${name}(?:: rsprof\\.(\\w+))?\\n((?:---@field .*\\n)*)`));
  assert.ok(declared, `protocol.lua has no class rsprof.${name}`);
  const own = [...declared[2].matchAll(/---@field (\w+)\??/g)].map((match) => match[1]);
  return [...(declared[1] ? luaFields(text, declared[1]) : []), ...own].sort();
}

test('protocol.ts and protocol.lua have the fields of PROTOCOL.md', () => {
  const typescript = read('editors/vscode/src/protocol.ts');
  const lua = read('editors/nvim/lua/rsprof/protocol.lua');
  for (const shape of shapes()) {
    assert.deepEqual(typescriptFields(typescript, shape.ts), shape.fields, `protocol.ts: ${shape.ts}`);
    assert.deepEqual(luaFields(lua, shape.lua), shape.fields, `protocol.lua: ${shape.lua}`);
  }
});
