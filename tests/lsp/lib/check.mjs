// Checks a message of the server against LSP's types and PROTOCOL.md's shapes. Every message of every test passes through here.
import { CodeLens, Diagnostic, Hover, InlayHint } from 'vscode-languageserver-types';
import { differences, examples } from './contract.mjs';

const shapes = {
  annotations: examples('rsprof/annotations')[0],
  status: examples('rsprof/status')[0],
  listProcesses: examples('rsprof/listProcesses')[0],
  hotLines: examples('rsprof/hotLines')[0],
  lineDetails: examples('rsprof/lineDetails')[0],
  snapshot: examples('rsprof/snapshot')[0],
};
shapes.snapshot.status = shapes.status;

const isString = (value) => typeof value === 'string';
const isUint = (value) => Number.isInteger(value) && value >= 0;
const isShare = (value) => typeof value === 'number' && value >= 0 && value <= 1.000001;
const only = (object, ...keys) => Object.keys(object).every((key) => keys.includes(key));
const listOf = (is) => (value) => Array.isArray(value) && value.every((item) => is(item));
const nullOr = (is) => (value) => value === null || is(value);

function lineNumbers(lines, path) {
  return lines.flatMap((line, i) => [
    ...(isUint(line.line) ? [] : [`${path}[${i}].line is ${line.line}`]),
    ...['self', 'total'].filter((key) => !isShare(line.cpu[key])).map((key) => `${path}[${i}].cpu.${key} is ${line.cpu[key]}`),
    ...Object.entries(line.heap).filter(([, value]) => !(value >= 0)).map(([key, value]) => `${path}[${i}].heap.${key} is ${value}`),
    ...('heat' in line && !isShare(line.heat) ? [`${path}[${i}].heat is ${line.heat}`] : []),
  ]);
}

function annotations(params) {
  const found = differences(params, shapes.annotations);
  if (found.length) return found;
  const lines = params.lines.map((line) => line.line);
  if (lines.some((line, i) => i > 0 && line <= lines[i - 1])) found.push('lines are not in order');
  return [...found, ...lineNumbers(params.lines, 'lines')];
}

function status(value) {
  const found = differences(value, shapes.status);
  if (!['detached', 'attaching', 'running', 'lost'].includes(value.state)) found.push(`state is ${value.state}`);
  if (!['hook', 'uprobe', 'off'].includes(value.heap?.mode)) found.push(`heap.mode is ${value.heap?.mode}`);
  if ((value.state === 'detached') !== (value.pid === 0)) found.push(`pid is ${value.pid} when ${value.state}`);
  return found;
}

function progress(params) {
  const { kind, percentage } = params.value;
  const percent = percentage === undefined || (isUint(percentage) && percentage <= 100);
  if (params.token !== 'rsprof/symbols' || !percent) return ['$/progress has a bad token or percentage'];
  if (kind === 'begin') return isString(params.value.title) ? [] : ['begin has no title'];
  return kind === 'report' || kind === 'end' ? [] : [`kind is ${kind}`];
}

const wrong = (is, what) => (value) => (is(value) ? [] : [`${what} is wrong: ${JSON.stringify(value)?.slice(0, 200)}`]);
const message = (params) => Number.isInteger(params.type) && params.type >= 1 && params.type <= 4 && isString(params.message);

const notifications = {
  'rsprof/annotations': annotations,
  'rsprof/status': status,
  '$/progress': progress,
  '$/logTrace': wrong((params) => isString(params.message) && only(params, 'message', 'verbose'), '$/logTrace'),
  'window/showMessage': wrong((params) => message(params) && only(params, 'type', 'message'), 'showMessage'),
  'window/logMessage': wrong((params) => message(params) && only(params, 'type', 'message'), 'logMessage'),
  'textDocument/publishDiagnostics': wrong(
    (params) => isString(params.uri) && listOf((item) => Diagnostic.is(item) && item.severity === 4)(params.diagnostics), 'diagnostics'),
};

const requests = {
  'window/workDoneProgress/create': wrong((params) => params.token === 'rsprof/symbols', 'create'),
  'workspace/inlayHint/refresh': wrong((params) => params === undefined, 'refresh'),
  'workspace/codeLens/refresh': wrong((params) => params === undefined, 'refresh'),
  'window/showMessageRequest': wrong(
    (params) => message(params) && listOf((item) => isString(item.title))(params.actions), 'showMessageRequest'),
};

function initialize(result) {
  const known = ['positionEncoding', 'textDocumentSync', 'workspace', 'experimental', 'inlayHintProvider', 'hoverProvider',
    'executeCommandProvider', 'codeLensProvider'];
  const example = examples('Handshake')[1];
  const found = only(result.capabilities, ...known) ? [] : ['unknown capabilities'];
  const shared = Object.fromEntries(Object.entries(result.capabilities).filter(([key]) => key in example.capabilities));
  found.push(...differences({ ...result, capabilities: shared }, example));
  return found;
}

const results = {
  initialize,
  shutdown: wrong((value) => value === null, 'result'),
  'rsprof/listProcesses': (value) => differences(value, shapes.listProcesses),
  'rsprof/attach': wrong((value) => isUint(value.pid) && isString(value.exe) && only(value, 'pid', 'exe'), 'attach'),
  'rsprof/detach': wrong((value) => value === null, 'result'),
  'rsprof/reset': wrong((value) => value === null, 'result'),
  'rsprof/setView': wrong((value) => value === null, 'result'),
  'rsprof/hotLines': (value) => [...differences(value, shapes.hotLines), ...lineNumbers(value.lines, 'lines')],
  'rsprof/lineDetails': (value) => (value === null ? [] : [...differences(value, shapes.lineDetails), ...lineNumbers([value], '')]),
  'rsprof/snapshot': (value) => [...differences(value, shapes.snapshot), ...status(value.status), ...lineNumbers(value.lines, 'lines')],
  'textDocument/inlayHint': wrong(nullOr(listOf((item) => InlayHint.is(item))), 'hints'),
  'textDocument/hover': wrong(nullOr((value) => Hover.is(value)), 'hover'),
  'textDocument/codeLens': wrong(nullOr(listOf((item) => CodeLens.is(item))), 'lenses'),
  'workspace/executeCommand': () => [],
};

function response(received, sent) {
  if (received.error) {
    const { code, message: text, data } = received.error;
    const good = Number.isInteger(code) && isString(text) && text && isString(data?.hint) && data.hint;
    return good ? [] : [`an error without code, message or data.hint: ${JSON.stringify(received.error)}`];
  }
  const method = sent.get(received.id);
  return results[method] ? results[method](received.result) : [`a result for ${method}`];
}

/** What is wrong with a message from the server. `sent`: methods of the client's requests by id. */
export function checkMessage(received, sent) {
  const { method } = received;
  const found = received.jsonrpc === '2.0' ? [] : ['no jsonrpc'];
  const byMethod = received.id === undefined ? notifications : requests;
  if (!method) found.push(...response(received, sent));
  else if (byMethod[method]) found.push(...byMethod[method](received.params));
  else found.push('the server must not send this');
  return found.map((problem) => `${method ?? `answer to ${sent.get(received.id)}`}: ${problem}`);
}
