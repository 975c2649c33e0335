// A stand-in for the `electron` module: enough of it that the desktop shell's main process and preload run unchanged.
// Records what was asked. Stands for the API, not the engine: isolation, sandbox and policy themselves are seen only
// on the real runtime. Types are checked against electron's own by tsc, not here.
import { EventEmitter } from 'node:events';
import { type FakePage, fakePage } from './fake-page.ts';
import { type FakePort, MessageChannelMain } from './fake-ports.ts';

type Handler = (...args: unknown[]) => unknown;

class FakeApp extends EventEmitter {
  isPackaged = false;
  readonly switches = new Set<string>();
  readonly commandLine = { hasSwitch: (name: string): boolean => this.switches.has(name) };
  readonly paths = new Map<string, string>();
  isSandboxed = false;
  hasQuit = false;
  exitCode: number | null = null;
  holdsLock = true;
  #ready = false;
  readonly #waiting: (() => void)[] = [];

  isReady = (): boolean => this.#ready;
  whenReady = (): Promise<void> =>
    this.#ready ? Promise.resolve() : new Promise(resolve => this.#waiting.push(resolve));
  becomeReady(): void {
    this.#ready = true;
    for (const run of this.#waiting) run();
  }
  requestSingleInstanceLock = (): boolean => this.holdsLock;
  locale = 'en-GB';
  getLocale = (): string => this.locale;
  setPath = (name: string, path: string): void => void this.paths.set(name, path);
  quit = (): void => {
    this.hasQuit = true;
  };
  exit = (code: number): void => {
    this.exitCode = code;
  };
  enableSandbox(): void {
    if (this.#ready) throw new Error('enableSandbox after ready');
    this.isSandboxed = true;
  }
}
export const app = new FakeApp();

class FakePowerMonitor extends EventEmitter {
  onBatteryPower = false;
}
export const powerMonitor = new FakePowerMonitor();

class FakeSession extends EventEmitter {
  askPermission:
    | ((contents: unknown, permission: string, answer: (isGranted: boolean) => void) => void)
    | null = null;
  checkPermission: ((contents: unknown, permission: string) => boolean) | null = null;
  devicePermission: (() => boolean) | null = null;
  beforeRequest: ((details: { url: string }, answer: (result: { cancel: boolean }) => void) => void) | null =
    null;
  readonly webRequest = {
    onBeforeRequest: (listener: typeof this.beforeRequest): void => {
      this.beforeRequest = listener;
    },
  };
  setPermissionRequestHandler = (handler: typeof this.askPermission): void => {
    this.askPermission = handler;
  };
  setPermissionCheckHandler = (handler: typeof this.checkPermission): void => {
    this.checkPermission = handler;
  };
  setDevicePermissionHandler = (handler: () => boolean): void => {
    this.devicePermission = handler;
  };
  /** As the engine does before any request. */
  isCancelled(url: string): boolean {
    let isCancelled = false;
    this.beforeRequest?.({ url }, ({ cancel }) => {
      isCancelled = cancel;
    });
    return isCancelled;
  }
}
export const session = { defaultSession: new FakeSession() };

class FakeProtocol {
  readonly privileges = new Map<string, Record<string, boolean>>();
  readonly handlers = new Map<string, (request: Request) => Promise<Response>>();
  registerSchemesAsPrivileged(schemes: { scheme: string; privileges: Record<string, boolean> }[]): void {
    if (app.isReady()) throw new Error('schemes are registered before ready');
    for (const { scheme, privileges } of schemes) this.privileges.set(scheme, privileges);
  }
  handle = (scheme: string, handler: (request: Request) => Promise<Response>): void =>
    void this.handlers.set(scheme, handler);
  async fetch(url: string): Promise<Response> {
    const handler = this.handlers.get(new URL(url).protocol.slice(0, -1));
    if (handler === undefined || session.defaultSession.isCancelled(url))
      throw new Error(`ERR_BLOCKED ${url}`);
    // Node's Request takes http addresses only; the handler sees the address the engine would give.
    return handler({ url, method: 'GET' } as Request);
  }
}
export const protocol = new FakeProtocol();

class FakeIpcMain extends EventEmitter {
  readonly handlers = new Map<string, Handler>();
  handle = (channel: string, handler: Handler): void => void this.handlers.set(channel, handler);
}
export const ipcMain = new FakeIpcMain();

/** A frame as ipc events name it: `origin`, `parent`, and the way back to its preload. */
export class FakeFrame {
  readonly received = new EventEmitter();
  readonly url: string;
  readonly origin: string;
  readonly parent: FakeFrame | null;
  constructor(url: string, parent: FakeFrame | null) {
    const { protocol: scheme, host } = new URL(url);
    this.url = url;
    this.origin = `${scheme}//${host}`;
    this.parent = parent;
  }
  postMessage(channel: string, message: unknown, ports: FakePort[]): void {
    this.received.emit(channel, { ports: ports.map(port => port.transfer()) }, message);
  }
}

class FakeWebContents extends EventEmitter {
  openHandler: ((details: { url: string }) => { action: string }) | null = null;
  reloads = 0;
  setWindowOpenHandler = (handler: typeof this.openHandler): void => {
    this.openHandler = handler;
  };
  reload = (): void => {
    this.reloads += 1;
  };
  page: FakePage | null = null;
  getURL = (): string => this.page?.frame.url ?? '';
  /** To the preload of its page; nobody hears it before there is one. */
  send = (channel: string): void => void this.page?.frame.received.emit(channel, {});
}

export class BrowserWindow extends EventEmitter {
  static readonly all: BrowserWindow[] = [];
  readonly webContents = new FakeWebContents();
  readonly options: Record<string, unknown> & { webPreferences: Record<string, unknown> };
  page: FakePage | null = null;
  url = '';
  isShown = false;
  focused = 0;
  isMinimizedNow = false;

  constructor(options: BrowserWindow['options']) {
    super();
    if (!app.isReady()) throw new Error('a window before ready');
    this.options = options;
    BrowserWindow.all.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  async loadURL(url: string): Promise<void> {
    this.url = url;
    const response = await protocol.fetch(url);
    if (!response.ok) throw new Error(`ERR_FILE_NOT_FOUND ${url}`);
    this.page = await fakePage(
      new FakeFrame(url, null),
      ipcMain,
      String(this.options.webPreferences.preload),
    );
    this.webContents.page = this.page;
    this.emit('ready-to-show');
  }
  show = (): void => {
    this.isShown = true;
  };
  focus = (): void => {
    this.focused += 1;
  };
  isMinimized = (): boolean => this.isMinimizedNow;
  isMaximized = (): boolean => false;
  maximize = (): void => undefined;
  restore = (): void => {
    this.isMinimizedNow = false;
  };
  getNormalBounds = (): object => ({ x: 10, y: 20, width: 1000, height: 700 });
  close(): void {
    this.emit('close');
    BrowserWindow.all.splice(BrowserWindow.all.indexOf(this), 1);
    this.emit('closed');
    if (BrowserWindow.all.length === 0) app.emit('window-all-closed');
  }
}

interface MenuItem {
  readonly label?: string;
  readonly role?: string;
  readonly click?: () => void;
  readonly submenu?: MenuItem[];
}
export class Menu {
  static application: Menu | null = null;
  readonly template: MenuItem[];
  constructor(template: MenuItem[]) {
    this.template = template;
  }
  static buildFromTemplate = (template: MenuItem[]): Menu => new Menu(template);
  static setApplicationMenu = (menu: Menu): void => {
    Menu.application = menu;
  };
}

export class Tray extends EventEmitter {
  static last: Tray | null = null;
  isDestroyed = false;
  constructor(_icon: unknown) {
    super();
    Tray.last = this;
  }
  setToolTip = (): void => undefined;
  setContextMenu = (): void => undefined;
  destroy = (): void => {
    this.isDestroyed = true;
  };
}

export const dialog = {
  answer: { canceled: true, filePaths: [] as string[] },
  errors: [] as string[],
  showOpenDialog: async (): Promise<{ canceled: boolean; filePaths: string[] }> => dialog.answer,
  showErrorBox: (_title: string, text: string): void => void dialog.errors.push(text),
};
export const screen = { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] };
export const nativeImage = { createFromPath: () => ({ isEmpty: () => false, resize: () => ({}) }) };
export { MessageChannelMain };
