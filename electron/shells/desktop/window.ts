// The one window: hardened from the start, shown when its page is ready, its place remembered.
import { fileURLToPath } from 'node:url';
import { BrowserWindow, screen } from 'electron';
import { systemClock } from '../../platform/clock.ts';
import { readJson, writeJson } from '../../platform/json-file.ts';
import { PAGE_URL } from './app-protocol.ts';
import { MIN_HEIGHT, MIN_WIDTH, windowState } from './window-state.ts';

export interface WindowOptions {
  readonly stateFile: string;
  readonly isDevelopment: boolean;
  readonly log: (line: string) => void;
  /** The page crashed too often and is not loaded again. */
  readonly onCrashing: () => void;
}

/** Reloads within FORGET_MS: a page that keeps crashing at once is not reloaded for ever. */
const RELOADS_MAX = 3;
const FORGET_MS = 60_000;

function keepPlace(window: BrowserWindow, { stateFile, log }: WindowOptions): void {
  window.on('close', () => {
    try {
      writeJson(stateFile, { ...window.getNormalBounds(), isMaximized: window.isMaximized() });
    } catch (error) {
      log(`the window's place was not saved: ${String(error)}`);
    }
  });
}

/** A crash of the page touches neither control nor VMs: its port ends, and the new page asks for another. */
function reloadAfterCrash(window: BrowserWindow, { log, onCrashing }: WindowOptions): void {
  let reloads: number[] = [];
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    log(`the page's process ended: ${reason}`);
    if (reason === 'clean-exit') return;
    const now = systemClock.monotonicMs();
    reloads = reloads.filter(at => now - at < FORGET_MS);
    if (reloads.length === RELOADS_MAX) return onCrashing();
    reloads.push(now);
    window.webContents.reload();
  });
}

export function openWindow(options: WindowOptions): BrowserWindow {
  const displays = screen.getAllDisplays().map(display => display.workArea);
  const { bounds, isMaximized } = windowState(readJson(options.stateFile), displays);
  const window = new BrowserWindow({
    ...bounds,
    minWidth: MIN_WIDTH,
    minHeight: MIN_HEIGHT,
    title: 'Ebb',
    show: false,
    autoHideMenuBar: true,
    webPreferences: {
      preload: fileURLToPath(new URL('./preload.cjs', import.meta.url)),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      devTools: options.isDevelopment,
    },
  });
  if (isMaximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  keepPlace(window, options);
  reloadAfterCrash(window, options);
  // A load that fails (a page not built) shows the engine's own error page; the log says more.
  window.loadURL(PAGE_URL).catch((error: unknown) => options.log(`the page did not load: ${String(error)}`));
  return window;
}
