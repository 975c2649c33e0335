// A page's two worlds around the real preload: the preload's bundle runs in a context that has what a sandboxed
// preload has (a require for `electron` alone, messages, a location) and nothing of Node.
import type { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import type { MessagePort } from 'node:worker_threads';
import { bundlePreload } from '../../build/bundle.ts';
import type { FakeFrame } from './fake-electron.ts';

export interface PageMessage {
  readonly source: unknown;
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}
export interface FakePage {
  /** What the preload gave the page's own world. */
  readonly exposed: ReadonlyMap<string, Record<string, (...args: unknown[]) => unknown>>;
  readonly frame: FakeFrame;
  /** From the page itself, or from elsewhere (`source` false): another window, a frame. */
  postMessage(message: unknown, isOwn?: boolean): void;
  onMessage(listener: (message: PageMessage) => void): void;
}

interface FakeIpcMain extends EventEmitter {
  readonly handlers: ReadonlyMap<string, (...args: unknown[]) => unknown>;
}

async function preloadSource(file: string): Promise<string> {
  if (basename(file) !== 'preload.cjs') throw new Error(`no preload at ${file}`);
  const folder = mkdtempSync(join(tmpdir(), 'ebb-preload-'));
  try {
    await bundlePreload(join(folder, 'preload.cjs'));
    return readFileSync(join(folder, 'preload.cjs'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function fakePage(
  frame: FakeFrame,
  ipcMain: FakeIpcMain,
  preloadFile: string,
): Promise<FakePage> {
  const source = await preloadSource(preloadFile);
  const exposed: Map<string, Record<string, (...args: unknown[]) => unknown>> = new Map();
  const listeners: ((message: PageMessage) => void)[] = [];
  const event = { senderFrame: frame };
  const electron = {
    contextBridge: { exposeInMainWorld: (name: string, api: never) => void exposed.set(name, api) },
    ipcRenderer: {
      send: (channel: string, ...args: unknown[]) => void ipcMain.emit(channel, event, ...args),
      invoke: async (channel: string, ...args: unknown[]) => ipcMain.handlers.get(channel)?.(event, ...args),
      on: (channel: string, listener: (...args: unknown[]) => void) => frame.received.on(channel, listener),
    },
  };
  const deliver = (message: PageMessage): void => {
    for (const listener of listeners) queueMicrotask(() => listener(message));
  };
  const context = createContext({
    require: (name: string) => {
      if (name !== 'electron') throw new Error(`a sandboxed preload cannot require ${name}`);
      return electron;
    },
    module: { exports: {} },
    exports: {},
    location: { origin: frame.origin },
    addEventListener: (_type: string, listener: (message: PageMessage) => void) =>
      void listeners.push(listener),
    postMessage: (data: unknown, origin: string, ports: readonly MessagePort[]) => {
      if (origin === frame.origin) deliver({ source: world, data, ports });
    },
  });
  const world: unknown = runInContext('globalThis', context);
  runInContext(source, context);
  return {
    exposed,
    frame,
    postMessage: (data, isOwn = true) => deliver({ source: isOwn ? world : {}, data, ports: [] }),
    onMessage: listener => void listeners.push(listener),
  };
}
