// Drives the built desktop shell on the real Electron runtime, through Playwright.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright';
import { electronRuntime } from '../../build/electron-runtime.ts';
import { repositoryRoot } from '../../build/layers.ts';
import type { DesktopDriver } from './desktop-driver.ts';

const MAIN = join(repositoryRoot, 'dist', 'electron', 'shells', 'desktop', 'main.js');
/** Chromium refuses its own sandbox to root. */
const argumentsOf = (): string[] => [MAIN, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];

export function realRuntime(): DesktopDriver {
  let app: ElectronApplication;
  let page: Page;
  let env: Record<string, string> = {};
  return {
    runtime: 'real runtime',
    start: async dataFolder => {
      env = { ...(process.env as Record<string, string>), EBB_DATA: dataFolder, EBB_NODE: process.execPath };
      const { executable: executablePath } = electronRuntime();
      app = await _electron.launch({ executablePath, args: argumentsOf(), env });
      page = await app.firstWindow();
      await page.waitForLoadState('domcontentloaded');
    },
    windows: () =>
      app.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows().map(({ webContents }) => {
          const known = webContents as unknown as { getLastWebPreferences(): Record<string, unknown> };
          return { url: webContents.getURL(), preferences: { ...known.getLastWebPreferences() } };
        }),
      ),
    fetch: path =>
      page.evaluate(async asked => {
        const response = await fetch(asked);
        return { status: response.status, headers: Object.fromEntries(response.headers) };
      }, path),
    exchange: (frames, count) => page.evaluate(exchangeInPage, { frames, count }),
    globals: () =>
      page.evaluate(() => ({
        shell: Object.keys((window as unknown as { ebbShell?: object }).ebbShell ?? {}),
        leaked: ['require', 'process', 'module', 'Buffer', 'ipcRenderer', 'electron'].filter(
          name => name in window,
        ),
      })),
    pick: async (kind, path) => {
      await app.evaluate(({ dialog }, chosen) => {
        dialog.showOpenDialog = async () => ({
          canceled: chosen === null,
          filePaths: chosen === null ? [] : [chosen],
        });
      }, path);
      return page.evaluate(
        asked =>
          (window as unknown as { ebbShell: { pickFile(kind: string): unknown } }).ebbShell.pickFile(asked),
        kind,
      );
    },
    opensWindow: url => page.evaluate(asked => window.open(asked) !== null, url),
    navigate: async url => {
      await page.evaluate(asked => window.location.assign(asked), url);
      // A refused navigation leaves the page able to answer; a followed one would not have our origin.
      return page.evaluate(() => window.location.href);
    },
    isGranted: permission =>
      page.evaluate(async name => {
        const { state } = await navigator.permissions.query({ name: name as PermissionName });
        return state === 'granted';
      }, permission),
    reaches: url =>
      page.evaluate(
        asked =>
          fetch(asked, { mode: 'no-cors' }).then(
            () => true,
            () => false,
          ),
        url,
      ),
    startAgain: () =>
      new Promise((resolve, reject) => {
        const second = spawn(electronRuntime().executable, argumentsOf(), { env, stdio: 'ignore' });
        second.on('error', reject);
        second.on('close', () => resolve());
      }),
    stop: () => app.close(),
  };
}

function exchangeInPage({ frames, count }: { frames: readonly string[]; count: number }): Promise<string[]> {
  return new Promise(resolve => {
    const received: string[] = [];
    window.addEventListener('message', event => {
      const [port] = event.ports;
      if (event.data !== 'ebb:port' || port === undefined) return;
      port.onmessage = ({ data }) => {
        if (typeof data === 'string') received.push(data);
        if (received.length >= count) resolve(received);
      };
      for (const frame of frames) port.postMessage(frame);
    });
    window.postMessage('ebb:connect', window.location.origin);
  });
}
