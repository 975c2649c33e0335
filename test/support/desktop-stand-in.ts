// Drives the desktop shell's own source with the stand-in for `electron` (the alias in build/vitest.config.ts).
import { vi } from 'vitest';
import type { DesktopDriver } from './desktop-driver.ts';
import type { FakePage } from './fake-page.ts';
import { until } from './until.ts';

export type FakeElectron = typeof import('./fake-electron.ts');

export interface StandIn extends DesktopDriver {
  /** For what only the stand-in can show. */
  electron(): FakeElectron;
  page(): FakePage;
}

export function standIn(): StandIn {
  let fake: FakeElectron | null = null;
  const electron = (): FakeElectron => {
    if (fake === null) throw new Error('not started');
    return fake;
  };
  const contents = () => electron().BrowserWindow.all[0]?.webContents;
  const page = (): FakePage => {
    const found = electron().BrowserWindow.all[0]?.page;
    if (found === undefined || found === null) throw new Error('no page');
    return found;
  };
  return {
    runtime: 'stand-in',
    electron,
    page,
    start: async dataFolder => {
      vi.resetModules();
      process.env.EBB_DATA = dataFolder;
      fake = (await import('electron')) as unknown as FakeElectron;
      await import('../../electron/shells/desktop/main.ts');
      const { app, BrowserWindow } = electron();
      app.becomeReady();
      await until('the page', () => app.exitCode !== null || BrowserWindow.all[0]?.isShown === true);
    },
    windows: async () =>
      electron().BrowserWindow.all.map(({ url, options }) => ({ url, preferences: options.webPreferences })),
    fetch: async path => {
      const response = await electron().protocol.fetch(`app://ebb${path}`);
      return { status: response.status, headers: Object.fromEntries(response.headers) };
    },
    exchange: (frames, count) => exchange(page(), frames, count),
    globals: async () => ({
      shell: Object.keys(page().exposed.get('ebbShell') ?? {}),
      leaked: [...page().exposed.keys()].filter(name => name !== 'ebbShell'),
    }),
    pick: async (kind, path) => {
      electron().dialog.answer = { canceled: path === null, filePaths: path === null ? [] : [path] };
      return page().exposed.get('ebbShell')?.pickFile?.(kind);
    },
    opensWindow: async url => contents()?.openHandler?.({ url }).action !== 'deny',
    navigate: async url => {
      let isPrevented = false;
      const details = {
        url,
        isMainFrame: true,
        preventDefault: () => {
          isPrevented = true;
        },
      };
      contents()?.emit('will-navigate', details);
      return isPrevented ? page().frame.url : url;
    },
    isGranted: permission =>
      new Promise(resolve => {
        const { defaultSession } = electron().session;
        if (
          defaultSession.askPermission === null ||
          defaultSession.checkPermission?.(contents(), permission) !== false
        )
          resolve(true);
        else defaultSession.askPermission(contents(), permission, resolve);
      }),
    reaches: async url => !electron().session.defaultSession.isCancelled(url),
    startAgain: async () => void electron().app.emit('second-instance', {}, ['ebb-desktop'], '/'),
    stop: async () => {
      electron().BrowserWindow.all[0]?.close();
      delete process.env.EBB_DATA;
    },
  };
}

function exchange(page: FakePage, frames: readonly string[], count: number): Promise<string[]> {
  return new Promise(resolve => {
    const received: string[] = [];
    let isTaken = false;
    page.onMessage(({ data, ports: [port] }) => {
      if (data !== 'ebb:port' || port === undefined || isTaken) return;
      isTaken = true;
      port.on('message', message => {
        if (typeof message === 'string') received.push(message);
        if (received.length < count) return;
        port.close();
        resolve(received);
      });
      for (const frame of frames) port.postMessage(frame);
    });
    page.postMessage('ebb:connect');
  });
}
