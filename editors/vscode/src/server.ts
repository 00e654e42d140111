// The server's life: started on first use, started again after a crash (with back-off), stopped with the extension.
import * as vscode from 'vscode';
import {
    CloseAction,
    ErrorAction,
    LanguageClient,
    type InitializeParams,
    type LanguageClientOptions,
    type StaticFeature,
} from 'vscode-languageclient/node';
import { restartDelay, CRASH_PERIOD_MS } from './backoff';
import type { ClientCapability, Notifications, Requests } from './protocol';
import { findServer, ServerMissing, type ServerPath } from './server_path';
import { initializationOptions, serverArgumentsSetting, serverPathSetting, sourceMapSetting } from './settings';

/** The server has crashed too often to be started again without being asked. */
export interface ServerGone {
    crashes: number;
}

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 2000;

async function withTimeout(work: Promise<void>, timeoutMs: number, message: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((_, reject) => {
        timer = setTimeout(() => {
            reject(new Error(message));
        }, timeoutMs);
    });
    try {
        await Promise.race([work, late]);
    } finally {
        clearTimeout(timer);
    }
}

/** Tells the server that this client draws annotations itself. */
class AnnotationsCapability implements StaticFeature {
    fillClientCapabilities(capabilities: { experimental?: object }): void {
        const rsprof: ClientCapability = { annotations: true };
        capabilities.experimental = { ...capabilities.experimental, rsprof };
    }
    fillInitializeParams(params: InitializeParams): void {
        params.initializationOptions = initializationOptions();
    }
    initialize(): void {
        /* Nothing of the answer is needed. */
    }
    getState(): { kind: 'static' } {
        return { kind: 'static' };
    }
    clear(): void {
        /* Holds nothing. */
    }
}

export class Server implements vscode.Disposable {
    private client: LanguageClient | undefined;
    private starting: Promise<LanguageClient> | undefined;
    private crashes: number[] = [];
    private restartTimer: NodeJS.Timeout | undefined;
    private disposed = false;

    private readonly annotationsEmitter = new vscode.EventEmitter<Notifications['rsprof/annotations']>();
    private readonly statusEmitter = new vscode.EventEmitter<Notifications['rsprof/status']>();
    private readonly downEmitter = new vscode.EventEmitter<undefined>();
    private readonly backEmitter = new vscode.EventEmitter<undefined>();
    private readonly goneEmitter = new vscode.EventEmitter<ServerGone>();
    private readonly settings = vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('rsprof.sourceMap')) {
            this.tellSourceMap();
        }
    });

    readonly onAnnotations = this.annotationsEmitter.event;
    readonly onStatus = this.statusEmitter.event;
    /** The server ended, whether asked to or not. */
    readonly onDown = this.downEmitter.event;
    /** It runs again after a crash. */
    readonly onBack = this.backEmitter.event;
    readonly onGone = this.goneEmitter.event;

    constructor(
        private readonly extensionPath: string,
        private readonly log: vscode.LogOutputChannel,
    ) {}

    get running(): boolean {
        return this.client !== undefined;
    }

    /** Throws ServerMissing. */
    path(): ServerPath {
        return findServer(serverPathSetting(), this.extensionPath, process.env.HOME ?? '', process.env.PATH ?? '');
    }

    async request<M extends keyof Requests>(
        method: M,
        params: Requests[M]['params'],
        token?: vscode.CancellationToken,
    ): Promise<Requests[M]['result']> {
        const client = await this.start();
        /* An undefined token would be sent along as a second, positional parameter. */
        return token === undefined
            ? client.sendRequest<Requests[M]['result']>(method, params)
            : client.sendRequest<Requests[M]['result']>(method, params, token);
    }

    /** Stops the server and starts it anew; past crashes are forgotten. */
    async restart(): Promise<void> {
        this.crashes = [];
        await this.stop();
        await this.start();
        this.backEmitter.fire(undefined);
    }

    dispose(): void {
        this.disposed = true;
        void this.stop();
        for (const emitter of [this.annotationsEmitter, this.statusEmitter, this.downEmitter, this.backEmitter]) {
            emitter.dispose();
        }
        this.goneEmitter.dispose();
        this.settings.dispose();
    }

    /* The other settings go with the requests that use them. */
    private tellSourceMap(): void {
        const settings = { rsprof: { sourceMap: sourceMapSetting() } };
        this.client?.sendNotification('workspace/didChangeConfiguration', { settings }).catch((error: unknown) => {
            this.log.warn(`the source map did not reach the server: ${String(error)}`);
        });
    }

    private async start(): Promise<LanguageClient> {
        if (this.disposed) {
            throw new Error('The extension is being shut down.');
        }
        if (this.client !== undefined) {
            return this.client;
        }
        clearTimeout(this.restartTimer);
        this.starting ??= this.launch().finally(() => (this.starting = undefined));
        return this.starting;
    }

    private async launch(): Promise<LanguageClient> {
        if (process.platform !== 'linux') {
            throw new ServerMissing(
                'rsprof profiles Linux processes only.',
                'Open the folder on the Linux machine that runs the process: Remote-SSH, WSL or a dev container.',
            );
        }
        const server = this.path();
        this.log.info(`starting ${server.path} (from ${server.origin})`);
        const client = new LanguageClient(
            'rsprof',
            'rsprof',
            { command: server.path, args: ['serve', ...serverArgumentsSetting()] },
            this.clientOptions(() => {
                this.onClosed(client);
            }),
        );
        client.registerFeature(new AnnotationsCapability());
        client.onNotification('rsprof/annotations', (params: Notifications['rsprof/annotations']) => {
            this.annotationsEmitter.fire(params);
        });
        client.onNotification('rsprof/status', (params: Notifications['rsprof/status']) => {
            this.statusEmitter.fire(params);
        });
        await withTimeout(client.start(), START_TIMEOUT_MS, `${server.path} does not answer.`).catch((error: unknown) => {
            void client.dispose().catch(() => undefined);
            throw error;
        });
        if (this.isDisposed()) {
            await client.dispose();
            throw new Error('The extension is being shut down.');
        }
        this.client = client;
        return client;
    }

    /* Asked again after a wait, when the answer may be another. */
    private isDisposed(): boolean {
        return this.disposed;
    }

    private clientOptions(closed: () => void): LanguageClientOptions {
        return {
            documentSelector: [{ language: 'rust', scheme: 'file' }],
            outputChannel: this.log,
            /* Annotations and hovers are drawn by this extension: what the server offers to plain clients stays off. */
            middleware: {
                provideHover: () => undefined,
                provideInlayHints: () => undefined,
                provideCodeLenses: () => undefined,
            },
            initializationFailedHandler: () => false,
            errorHandler: {
                error: () => ({ action: ErrorAction.Continue, handled: true }),
                closed: () => {
                    closed();
                    return { action: CloseAction.DoNotRestart, handled: true, message: 'the server ended' };
                },
            },
        };
    }

    private onClosed(client: LanguageClient): void {
        if (this.client !== client) {
            return;
        }
        this.client = undefined;
        this.downEmitter.fire(undefined);
        if (this.disposed) {
            return;
        }
        const now = Date.now();
        this.crashes = [...this.crashes.filter((time) => now - time < CRASH_PERIOD_MS), now];
        const delay = restartDelay(this.crashes);
        if (delay === undefined) {
            this.log.error(`the server ended ${this.crashes.length} times: it is not started again`);
            this.goneEmitter.fire({ crashes: this.crashes.length });
            return;
        }
        this.log.warn(`the server ended unasked; starting it again in ${delay} ms`);
        this.restartTimer = setTimeout(() => {
            this.start().then(
                () => {
                    this.backEmitter.fire(undefined);
                },
                (error: unknown) => {
                    this.log.error(error instanceof Error ? error : String(error));
                    this.goneEmitter.fire({ crashes: this.crashes.length });
                },
            );
        }, delay);
    }

    private async stop(): Promise<void> {
        clearTimeout(this.restartTimer);
        const client = this.client;
        if (client === undefined) {
            return;
        }
        this.client = undefined;
        if (!this.disposed) {
            this.downEmitter.fire(undefined);
        }
        try {
            await client.stop(STOP_TIMEOUT_MS);
        } catch (error) {
            this.log.warn(`stopping the server: ${String(error)}`);
        }
    }
}
