import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildAll } from '../../../../build/build-all.ts';
import { repositoryRoot } from '../../../../build/layers.ts';
import { contract } from '../../../../shared/rpc/contract.ts';
import { contractHash } from '../../../../shared/rpc/hash.ts';
import { type DesktopDriver, whichRuntime } from '../../../support/desktop-driver.ts';
import { realRuntime } from '../../../support/desktop-real.ts';
import { standIn } from '../../../support/desktop-stand-in.ts';
import { type StubControl, stubControl } from '../../../support/stub-control.ts';
import { until } from '../../../support/until.ts';

const { isReal, line } = whichRuntime();
const FILE = '00000000-0000-4000-8000-00000000000f';
const hello = JSON.stringify({ t: 'hello', protocol: 1, contract: contractHash(contract) });
const request = (id: number, method: string, params: unknown): string =>
  JSON.stringify({ t: 'request', id, method, params });

let folder: string;
let control: StubControl;

beforeAll(async () => {
  console.log(line);
  const page = join(repositoryRoot, 'dist', 'renderer', 'index.html');
  if (isReal || !existsSync(page)) await buildAll({ always: false });
}, 120_000);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-desktop-'));
  control = await stubControl(folder);
});
afterEach(async () => {
  await control.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});
afterAll(() => console.log(line));

describe(`desktop shell (${isReal ? 'real runtime' : 'stand-in'})`, () => {
  let driver: DesktopDriver;
  beforeEach(async () => {
    driver = isReal ? realRuntime() : standIn();
    await driver.start(folder);
  });
  afterEach(() => driver.stop());

  it('opens one window on our own scheme, sandboxed and isolated, without Node', async () => {
    const windows = await driver.windows();
    expect(windows).toHaveLength(1);
    expect(windows[0]?.url).toBe('app://ebb/index.html');
    expect(windows[0]?.preferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
    });
  });

  it('serves the page with the strict policy, and nothing outside its folder', async () => {
    const page = await driver.fetch('/index.html');
    expect(page.status).toBe(200);
    const policy = page.headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self';");
    for (const path of ['/..%2f..%2fpackage.json', '/missing.js', '/assets']) {
      expect((await driver.fetch(path)).status, path).toBe(404);
    }
  });

  it('gives the page the file dialog, requests from outside, a way to tell its language, nothing else', async () => {
    const shell = ['pickFile', 'takeRequest', 'tellLanguage'];
    expect(await driver.globals()).toEqual({ shell, leaked: [] });
  });

  it("joins the page's port to control as the window's: it may name no paths", async () => {
    const frames = [hello, request(1, 'app.info', {}), request(2, 'file.register', { path: '/etc/passwd' })];
    const answers = (await driver.exchange(frames, 3)).map(text => JSON.parse(text));
    const byId = (id: number): unknown => answers.find(answer => answer.id === id);
    expect(answers[0]).toMatchObject({ t: 'hello' });
    expect(byId(1)).toMatchObject({ t: 'reply' });
    expect(byId(2)).toMatchObject({ t: 'fault', error: { code: 'rpc.denied' } });
    expect(control.calls.map(call => call.kind)).toEqual(['window', 'window']);
  });

  it('turns a file the person chose into a token, and says in words why one is refused', async () => {
    expect(await driver.pick('disk', '/home/me/disk.vhd')).toEqual({
      file: FILE,
      name: 'disk.vhd',
      bytes: 42,
    });
    expect(control.calls).toEqual([
      { method: 'file.register', kind: 'local', params: { path: '/home/me/disk.vhd' } },
    ]);
    expect(await driver.pick('iso', null)).toBeNull();
    expect(await driver.pick('disk', '/missing')).toMatchObject({ error: { code: 'file.unreadable' } });
  });

  it('opens no second window, leaves for nowhere, reaches no network, grants nothing', async () => {
    expect(await driver.opensWindow('https://example.com/')).toBe(false);
    for (const url of ['https://example.com/', 'file:///etc/passwd', 'app://other/index.html']) {
      expect(await driver.navigate(url), url).toBe('app://ebb/index.html');
    }
    expect(await driver.reaches('http://127.0.0.1:1/')).toBe(false);
    for (const name of ['geolocation', 'camera', 'notifications'])
      expect(await driver.isGranted(name), name).toBe(false);
  });

  it('shows the running window when started a second time', async () => {
    await driver.startAgain();
    expect(await driver.windows()).toHaveLength(1);
  });
});

describe('desktop shell, what only the stand-in shows', () => {
  const driver = standIn();
  beforeEach(() => driver.start(folder));
  afterEach(() => driver.stop());

  it('sandboxes every renderer and registers its scheme before the engine is ready', () => {
    const { app, protocol } = driver.electron();
    expect(app.isSandboxed).toBe(true);
    expect(protocol.privileges.get('app')).toMatchObject({ standard: true, secure: true });
    expect(protocol.privileges.get('app')).not.toHaveProperty('bypassCSP');
    expect(app.paths.get('userData')).toBe(join(folder, 'electron'));
  });

  it.each([
    ['a frame inside the page', 'app://ebb/index.html', true],
    ['a foreign page', 'https://evil.example/', false],
    ['another host of our scheme', 'app://evil/index.html', false],
  ])('gives %s no port and no dialog', async (_, url, isInner) => {
    const { FakeFrame, ipcMain, dialog } = driver.electron();
    const frame = new FakeFrame(url, isInner ? driver.page().frame : null);
    let ports = 0;
    frame.received.on('ebb:port', () => ports++);
    ipcMain.emit('ebb:connect', { senderFrame: frame });
    ipcMain.emit('ebb:connect', { senderFrame: null });
    dialog.answer = { canceled: false, filePaths: ['/x'] };
    expect(await ipcMain.handlers.get('ebb:pick-file')?.({ senderFrame: frame }, 'disk')).toBeNull();
    // Our own page's port comes after any the frame would have been given.
    await driver.exchange([hello], 1);
    expect(ports).toBe(0);
    expect(control.calls).toEqual([]);
  });

  it('passes on no request of another window through the preload', async () => {
    let ports = 0;
    driver.page().onMessage(({ data }) => {
      if (data === 'ebb:port') ports++;
    });
    driver.page().postMessage('ebb:connect', false);
    driver.page().postMessage({ type: 'ebb:connect' });
    await driver.exchange([hello], 1);
    expect(ports).toBe(1);
  });

  it('refuses embedded pages, redirects, downloads, inner frames and devices', () => {
    const { BrowserWindow, session } = driver.electron();
    const prevented: string[] = [];
    const contents = BrowserWindow.all[0]?.webContents;
    for (const name of ['will-attach-webview', 'will-redirect', 'will-frame-navigate']) {
      const details = { url: 'app://ebb/a', isMainFrame: false, preventDefault: () => prevented.push(name) };
      contents?.emit(name, details);
    }
    session.defaultSession.emit('will-download', { preventDefault: () => prevented.push('will-download') });
    expect(prevented).toEqual([
      'will-attach-webview',
      'will-redirect',
      'will-frame-navigate',
      'will-download',
    ]);
    expect(session.defaultSession.devicePermission?.()).toBe(false);
    expect(session.defaultSession.isCancelled('file:///etc/passwd')).toBe(true);
    expect(session.defaultSession.isCancelled('app://ebb/assets/a.js')).toBe(false);
    expect(session.defaultSession.isCancelled('data:image/png;base64,')).toBe(false);
  });

  it('ends the port when control ends, so that the page knows, and gives a new one when asked again', async () => {
    let state = 'none';
    driver.page().onMessage(({ ports: [port] }) => {
      port?.once('message', () => {
        state = 'open';
      });
      port?.once('close', () => {
        state = 'ended';
      });
    });
    driver.page().postMessage('ebb:connect');
    await until("control's hello", () => state === 'open');
    await control.close();
    await until('the port ended', () => state === 'ended');
    control = await stubControl(folder);
    expect(await driver.exchange([hello, request(1, 'app.info', {})], 2)).toHaveLength(2);
  });

  it('reloads a crashed page a few times, not for ever', () => {
    const contents = driver.electron().BrowserWindow.all[0]?.webContents;
    for (let n = 0; n < 10; n++) contents?.emit('render-process-gone', {}, { reason: 'crashed' });
    expect(contents?.reloads).toBe(3);
  });

  it('remembers its place and ends with its window, with a tray and a menu that say VMs keep running', async () => {
    const { app, BrowserWindow, Menu, Tray } = driver.electron();
    expect(JSON.stringify(Menu.application?.template)).toContain('VMs keep running');
    const window = BrowserWindow.all[0];
    if (window !== undefined) window.isMinimizedNow = true;
    Tray.last?.emit('click');
    expect(window?.isMinimizedNow).toBe(false);
    expect(window?.focused).toBe(1);
    window?.close();
    expect(app.hasQuit).toBe(true);
    app.emit('before-quit');
    expect(Tray.last?.isDestroyed).toBe(true);
    await driver.start(folder);
    expect(driver.electron().BrowserWindow.all[0]?.options).toMatchObject({
      x: 10,
      y: 20,
      width: 1000,
      height: 700,
    });
  });

  it('does nothing but quit where another instance holds the lock', async () => {
    const { vi } = await import('vitest');
    vi.resetModules();
    const electron = (await import('electron')) as unknown as ReturnType<typeof driver.electron>;
    electron.app.holdsLock = false;
    await import('../../../../electron/shells/desktop/main.ts');
    await until('it quits', () => electron.app.hasQuit);
    electron.app.becomeReady();
    expect(electron.BrowserWindow.all).toEqual([]);
  });

  it('opens no window where a package runs without its sandbox, and says what to do', async () => {
    const { vi } = await import('vitest');
    vi.resetModules();
    const electron = (await import('electron')) as unknown as ReturnType<typeof driver.electron>;
    electron.app.isPackaged = true;
    electron.app.switches.add('no-sandbox');
    await import('../../../../electron/shells/desktop/main.ts');
    electron.app.becomeReady();
    await until('it ends', () => electron.app.exitCode === 1);
    expect(electron.BrowserWindow.all).toEqual([]);
    expect(electron.dialog.errors).toEqual([expect.stringContaining('ebb-browser')]);
  });
});
