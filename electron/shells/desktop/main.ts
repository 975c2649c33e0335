// The desktop shell's main process: one instance per data folder, one hardened window, one port to control for its
// page. Everything it shows works the same in a browser against the headless shell. Ending it ends no VM.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  app,
  type BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  nativeImage,
  powerMonitor,
  protocol,
  session,
  Tray,
} from 'electron';
import { errorText } from '../../../shared/errors.ts';
import { Fault, stackOf } from '../../../shared/result.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import { ensureControl, rejoinControl } from '../../control/start-on-demand.ts';
import { systemClock } from '../../platform/clock.ts';
import { defaultDataFolder, ebbPaths } from '../../platform/paths.ts';
import { fileExists } from '../../platform/vm-files.ts';
import { openWebFiles } from '../../platform/web-files.ts';
import { reopeningClient } from '../../transport/local-client.ts';
import { registerScheme, serveScheme } from './app-protocol.ts';
import { hardenApp, hardenSession, isUnsandboxed } from './hardening.ts';
import { followLanguage } from './language.ts';
import { applicationMenu, type MenuActions, trayMenu } from './menu.ts';
import { offerFilePicker } from './pick-file.ts';
import { brokerPorts } from './port-broker.ts';
import { tellPower } from './power.ts';
import { openRequestDesk, type RequestDesk } from './request-desk.ts';
import { type Request, requestFrom, requestOf } from './requests.ts';
import { type ShellText, shellText } from './texts.ts';
import { openUpdater } from './updater.ts';
import { keepUpToDate, replacesItself } from './updates.ts';
import { openWindow } from './window.ts';

// Not strict: Chromium has switches of its own.
const { values } = parseArgs({ options: { data: { type: 'string' } }, strict: false });
const paths = ebbPaths(typeof values.data === 'string' ? values.data : defaultDataFolder());
const rendererFolder = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/renderer' : '../../../renderer', import.meta.url),
);
const iconFile = fileURLToPath(new URL('./icon.png', import.meta.url));
const log = (line: string): void => console.error(`desktop: ${line}`);

let window: BrowserWindow | null = null;
let tray: Tray | null = null;
let text: ShellText = shellText('en');
let desk: RequestDesk | null = null;
/** A request that came before there was a desk: macOS tells of links and files early. */
let early = requestFrom(process.argv.slice(1), process.cwd());

function ask(request: Request | null): void {
  if (request === null) return;
  if (desk === null) early = request;
  else desk.ask(request);
}

function show(): void {
  // A second start may come before the first is ready; its own show follows.
  if (!app.isReady()) return;
  if (window === null) {
    window = openWindow({
      stateFile: join(paths.dataFolder, 'window.json'),
      isDevelopment: !app.isPackaged,
      log,
      onCrashing: () => dialog.showErrorBox('Ebb', text.crashing),
    });
    window.on('closed', () => {
      window = null;
    });
    return;
  }
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

/** Makes the menus and the tray; called again when the page tells another language. */
function makeMenus(): void {
  const actions: MenuActions = {
    platform: process.platform,
    text,
    isDevelopment: !app.isPackaged,
    show,
    ask,
    quit: () => app.quit(),
  };
  Menu.setApplicationMenu(Menu.buildFromTemplate(applicationMenu(actions)));
  tray?.destroy();
  tray = null;
  const icon = nativeImage.createFromPath(iconFile);
  // Without a picture a tray entry cannot be seen, nor found again.
  if (icon.isEmpty()) return;
  tray = new Tray(icon.resize({ width: 22, height: 22 }));
  tray.setToolTip('Ebb');
  tray.setContextMenu(Menu.buildFromTemplate(trayMenu(actions)));
  tray.on('click', show);
}

/** Starts control if needed. The window opens even without it, and says that it is not connected. */
async function reachControl(): Promise<void> {
  try {
    (await ensureControl(paths.dataFolder)).channel.close();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    dialog.showErrorBox('Ebb', errorText(error.body));
  }
}

const canReplaceItself = (): boolean =>
  replacesItself({
    platform: process.platform,
    isPackaged: app.isPackaged,
    appImage: process.env.APPIMAGE,
    hasFeed: app.isPackaged && fileExists(join(process.resourcesPath, 'app-update.yml')),
  });

async function confirmUpdate(version: string): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: 'question',
    message: text.updateReady.replace('{version}', version),
    detail: text.updateDetail,
    buttons: [text.updateNow, text.updateLater],
    defaultId: 1,
    cancelId: 1,
  });
  return response === 0;
}

async function run(): Promise<void> {
  await app.whenReady();
  text = shellText(app.getLocale());
  if (isUnsandboxed(app)) {
    dialog.showErrorBox('Ebb', text.noSandbox);
    return app.exit(1);
  }
  hardenSession(session.defaultSession);
  serveScheme(protocol, openWebFiles(rendererFolder));
  const local = reopeningClient(contract, () => rejoinControl(paths, 'local'));
  brokerPorts({
    ipcMain,
    makePorts: () => new MessageChannelMain(),
    connectControl: () => rejoinControl(paths, 'window'),
    log,
  });
  const registerFile = async (path: string) => (await local()).call('file.register', { path });
  offerFilePicker({ ipcMain, dialog, registerFile, text: () => text });
  desk = openRequestDesk({ ipcMain, registerFile, tell: tellOfRequest });
  followLanguage(ipcMain, language => {
    text = shellText(language);
    makeMenus();
  });
  tellPower(powerMonitor, async isOnBattery => (await local()).call('app.power', { isOnBattery }), log);
  await reachControl();
  makeMenus();
  if (canReplaceItself())
    keepUpToDate({
      ...(await openUpdater(log)),
      clock: systemClock,
      allowed: async () => (await local()).call('app.updates', {}),
      confirm: confirmUpdate,
      log,
    });
  if (early === null) show();
  else desk.ask(early);
}

function tellOfRequest(): void {
  show();
  window?.webContents.send('ebb:open');
}

hardenApp(app);
registerScheme(protocol);
// The lock is taken in this folder: one instance per data folder, not per machine.
app.setPath('userData', join(paths.dataFolder, 'electron'));
if (app.requestSingleInstanceLock()) {
  // Linux packages and macOS's bundle register ebb:// links by themselves.
  if (app.isPackaged && process.platform === 'win32') app.setAsDefaultProtocolClient('ebb');
  app.on('second-instance', (_event, argv, folder) => {
    const request = requestFrom(argv.slice(1), folder);
    if (request === null) show();
    else ask(request);
  });
  for (const name of ['open-url', 'open-file'] as const)
    app.on(name as 'open-url', (event, what) => {
      event.preventDefault();
      ask(requestOf(what, '/'));
    });
  app.on('activate', show);
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('before-quit', () => tray?.destroy());
  run().catch((error: unknown) => {
    log(stackOf(error));
    app.exit(1);
  });
} else {
  app.quit();
}
