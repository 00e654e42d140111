// A server that speaks server/PROTOCOL.md and does nothing else, for tests of the client: it answers requests from a small
// fixed world, remembers every message it received (`fake/received`), and sends what a test tells it to (`fake/send`).
const processes = [
  { pid: 4242, name: 'svc', exe: '/srv/svc/target/release/svc', command: 'svc --port 80', user: 'me', uptimeSec: 81.5,
    cpuCores: 1.93, rust: true, debugInfo: 'lines', workspace: true, attachable: true },
  { pid: 77, name: 'other', exe: '/usr/bin/other', command: 'other', user: 'root', uptimeSec: 90000, cpuCores: 0,
    rust: true, debugInfo: 'none', workspace: false, attachable: false, reason: 'it belongs to root: run rsprof as root' },
];
const everyProcess = [...processes, { ...processes[0], pid: 9, name: 'sh', exe: '/bin/sh', rust: false, workspace: false }];

if (process.argv[2] === 'doctor') {
  const checks = [{ name: 'kernel', state: 'ok', seen: 'Linux 6.1', remedy: '' },
    { name: 'capabilities', state: 'fail', seen: 'none', remedy: 'sudo setcap all+ep rsprof' }];
  console.log(JSON.stringify({ ok: false, checks }));
  process.exit(4);
}

const received = [];
const documents = new Map();
let attached = null;
let input = Buffer.alloc(0);

const write = message => {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
  process.stdout.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
};
const notify = (method, params) => write({ method, params });

const heap = bytes => ({ selfLiveBytes: bytes, liveBytes: bytes, liveBlocks: 96, allocBytesPerSec: 0, allocsPerSec: 0, relStdErr: 0.03 });
const line = (number, heat, label) => ({ line: number, heat, label, cpu: { self: heat / 2, total: heat, samples: 760 }, heap: heap(12582912) });
const lines = [line(2, 1, '38.2%  12.0 MiB'), line(4, 0.3, '11.5%'), line(5, 0.01, '0.4%')];

const pushAnnotations = shown => {
  for (const [uri, version] of documents) notify('rsprof/annotations', { uri, version, stale: false, lines: shown });
};
const pushStatus = state => notify('rsprof/status', {
  state, pid: attached?.pid ?? 0, exe: attached?.exe ?? '',
  cpu: { samples: 1990, lost: 0, freqHz: 199, stacksComplete: 0.9998, processCores: 1.93 },
  heap: { mode: 'uprobe', intervalBytes: 0, liveBytes: 12582912, liveBlocks: 96, allocBytesPerSec: 5242880,
    allocsPerSec: 20480, lost: 0, processHeapBytes: 20971520 },
  overhead: { fraction: 0.004 }, symbols: { firstAnnotationMs: 312, modules: 4 },
  hints: state === 'running' ? ['libfoo.so has no line information'] : [],
});

class Refusal extends Error {
  constructor(code, message, hint) { super(message); this.code = code; this.data = { hint }; }
}

const attach = ({ pid }) => {
  if (pid === 1) throw new Refusal(1002, 'not your process.', 'run rsprof as root');
  const found = everyProcess.find(process => process.pid === pid);
  if (!found) throw new Refusal(1001, `no process has pid ${pid}`, 'choose one from the list');
  attached = { pid, exe: found.exe };
  pushStatus('running');
  pushAnnotations(lines);
  return attached;
};

const detach = () => {
  attached = null;
  pushAnnotations([]);
  pushStatus('detached');
  return null;
};

const hotLines = ({ limit = 20 }) => ({
  lines: [...documents.keys()].slice(0, 1).flatMap(uri =>
    lines.map(each => ({ ...each, uri, function: 'svc::parse::token' }))).slice(0, limit),
});

const lineDetails = ({ uri, line: number }) => {
  const found = lines.find(each => each.line === number);
  return found ? {
    ...found, uri, function: 'svc::parse::token', cpu: { ...found.cpu, cores: 0.74, kernelShare: 0.04 },
    callers: [{ function: 'svc::main', uri, line: 8, share: 1 }], callees: [{ function: 'core::str::validate', share: 0.3 }],
  } : null;
};

const requests = {
  initialize: () => ({ serverInfo: { name: 'rsprof', version: '0.1.0' }, capabilities: { positionEncoding: 'utf-16',
    textDocumentSync: { openClose: true, change: 2 }, experimental: { rsprof: { protocol: 1 } } } }),
  shutdown: () => null,
  'rsprof/listProcesses': ({ all }) => ({ processes: all ? everyProcess : processes }),
  'rsprof/attach': attach,
  'rsprof/detach': detach,
  'rsprof/reset': () => null,
  'rsprof/setView': () => null,
  'rsprof/hotLines': hotLines,
  'rsprof/lineDetails': lineDetails,
  'fake/received': () => received,
  'fake/send': params => { for (const message of params.messages) write(message); return null; },
};

const notifications = {
  'textDocument/didOpen': ({ textDocument: { uri, version } }) => {
    documents.set(uri, version);
    if (attached) notify('rsprof/annotations', { uri, version, stale: false, lines });
  },
  'textDocument/didChange': ({ textDocument: { uri, version } }) => documents.set(uri, version),
  'textDocument/didClose': ({ textDocument: { uri } }) => documents.delete(uri),
  exit: () => process.exit(0),
  'fake/crash': () => {
    process.stderr.write('something odd\n');
    process.exit(3);
  },
};

const handle = message => {
  if (!message.method.startsWith('fake/')) received.push(message);
  if (message.id === undefined) return notifications[message.method]?.(message.params);
  const request = requests[message.method];
  if (!request) return write({ id: message.id, error: { code: -32601, message: `no ${message.method}` } });
  try {
    write({ id: message.id, result: request(message.params ?? {}) });
  } catch (error) {
    write({ id: message.id, error: { code: error.code ?? -32603, message: error.message, data: error.data } });
  }
};

process.stdin.on('data', chunk => {
  input = Buffer.concat([input, chunk]);
  for (;;) {
    const end = input.indexOf('\r\n\r\n');
    const length = end < 0 ? NaN : Number(/Content-Length: *(\d+)/i.exec(input.subarray(0, end))[1]);
    if (!(input.length >= end + 4 + length)) return;
    const body = input.subarray(end + 4, end + 4 + length).toString();
    input = input.subarray(end + 4 + length);
    const message = JSON.parse(body);
    if (message.method) handle(message);
  }
});
process.stdin.on('end', () => process.exit(0));
