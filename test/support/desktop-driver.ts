// What the desktop specs may ask, of the stand-in or of the real runtime alike. Which of the two it is gets printed.
import { electronRuntime } from '../../build/electron-runtime.ts';

export interface DesktopWindow {
  readonly url: string;
  readonly preferences: Readonly<Record<string, unknown>>;
}
export interface DesktopDriver {
  readonly runtime: 'stand-in' | 'real runtime';
  /** Starts the shell on a data folder and waits for its page. */
  start(dataFolder: string): Promise<void>;
  windows(): Promise<DesktopWindow[]>;
  /** As the page asks for its own files. */
  fetch(path: string): Promise<{ status: number; headers: Readonly<Record<string, string>> }>;
  /** The page asks for a port, sends the frames and collects `count` answers. */
  exchange(frames: readonly string[], count: number): Promise<string[]>;
  /** Names the preload gave the page, and Node's or Electron's names the page can see. */
  globals(): Promise<{ shell: string[]; leaked: string[] }>;
  /** The page asks for the open dialog; the person answers `path`, or cancels. */
  pick(kind: string, path: string | null): Promise<unknown>;
  opensWindow(url: string): Promise<boolean>;
  /** The page tries to leave; its address afterwards. */
  navigate(url: string): Promise<string>;
  isGranted(permission: string): Promise<boolean>;
  reaches(url: string): Promise<boolean>;
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** The real runtime needs to be there and a display. */
export function whichRuntime(): { readonly isReal: boolean; readonly line: string } {
  const runtime = electronRuntime();
  const hasDisplay = Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  if (runtime.executable !== '' && hasDisplay) {
    return { isReal: true, line: `desktop shell: run on the REAL Electron runtime (${runtime.executable})` };
  }
  const why = runtime.executable === '' ? `no Electron runtime: ${runtime.reason}` : 'no display';
  return { isReal: false, line: `desktop shell: run with the STAND-IN for electron (${why})` };
}
