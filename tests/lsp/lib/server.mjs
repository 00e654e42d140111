// `rsprof serve` with a client of Microsoft's protocol library on its pipes. Every message that comes is checked by check.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver-protocol/node';
import { checkMessage } from './check.mjs';

export const annotating = { experimental: { rsprof: { annotations: true } } };

export function binary() {
  if (!process.env.RSPROF) throw new Error('RSPROF must name the rsprof binary');
  return process.env.RSPROF;
}

export class Server {
  notifications = [];
  requests = [];
  problems = [];
  stderr = '';

  constructor(args = [], env = process.env) {
    this.child = spawn(binary(), ['serve', ...args], { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.child.stderr.on('data', (chunk) => { this.stderr += chunk; });
    this.child.stdin.on('error', () => {});
    this.exited = once(this.child, 'exit').then(([code, signal]) => code ?? signal);
    const reader = new StreamMessageReader(this.child.stdout);
    reader.onPartialMessage(() => {});
    const sent = new Map();
    const writer = new StreamMessageWriter(this.child.stdin);
    const write = writer.write.bind(writer);
    writer.write = (message) => {
      if (message.id !== undefined && message.method) sent.set(message.id, message.method);
      return write(message);
    };
    const listen = reader.listen.bind(reader);
    reader.listen = (callback) => listen((message) => {
      this.problems.push(...checkMessage(message, sent));
      callback(message);
    });
    this.connection = createProtocolConnection(reader, writer);
    this.connection.onUnhandledNotification((message) => this.#keep(this.notifications, message));
    for (const method of ['window/showMessage', 'window/logMessage', '$/logTrace', 'textDocument/publishDiagnostics'])
      this.connection.onNotification(method, (params) => this.#keep(this.notifications, { method, params }));
    this.connection.onRequest((method, params) => {
      this.#keep(this.requests, { method, params });
      return this.answers[method] ? this.answers[method](params) : null;
    });
    this.connection.listen();
  }

  answers = {};
  #waiting = [];

  #keep(list, message) {
    list.push({ ...message, at: performance.now() });
    this.#waiting = this.#waiting.filter((check) => !check());
  }

  progress = [];

  async initialize(capabilities = {}, more = {}) {
    const result = await this.request('initialize', { processId: process.pid, rootUri: null, capabilities, ...more });
    this.connection.onProgress({ _pr: undefined }, 'rsprof/symbols', (value) => this.progress.push(value));
    await this.notify('initialized', {});
    return result;
  }

  request(method, ...rest) { return this.connection.sendRequest(method, ...rest); }
  notify(method, params) { return this.connection.sendNotification(method, params); }

  /** The first message of the list, past or to come, that `matches`. */
  async find(list, matches, what, ms = 15000) {
    const earlier = list.find(matches);
    if (earlier) return earlier;
    const found = new Promise((resolve) => this.#waiting.push(() => {
      const message = list.find(matches);
      if (message) resolve(message);
      return message !== undefined;
    }));
    const timeout = new AbortController();
    const late = sleep(ms, undefined, { signal: timeout.signal }).then(() => {
      throw new Error(`no ${what} within ${ms} ms; stderr: ${this.stderr}`);
    }, () => {});
    try { return await Promise.race([found, late]); } finally { timeout.abort(); }
  }

  notification(method, matches = () => true, ms) {
    return this.find(this.notifications, (m) => m.method === method && matches(m.params), method, ms);
  }

  /** Shuts down in order; the exit code. */
  async stop() {
    await this.request('shutdown');
    await this.notify('exit');
    return this.exited;
  }

  /** For the end of a test, whatever came before. */
  kill() { this.child.kill('SIGKILL'); this.connection.dispose(); }
}
