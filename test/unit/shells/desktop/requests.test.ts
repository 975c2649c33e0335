// Links, disk files and menu entries: read as words anybody may have written, taken by our page alone.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { applicationMenu, type MenuActions } from '../../../../electron/shells/desktop/menu.ts';
import { type Request, requestFrom, requestOf } from '../../../../electron/shells/desktop/requests.ts';
import { shellText } from '../../../../electron/shells/desktop/texts.ts';
import { standIn } from '../../../support/desktop-stand-in.ts';
import { type StubControl, stubControl } from '../../../support/stub-control.ts';
import { until } from '../../../support/until.ts';

const VM = '11111111-2222-4333-8444-555555555555';
const FILE = '00000000-0000-4000-8000-00000000000f';

describe('what is asked from outside', () => {
  it.each([
    [`ebb://vm/${VM}`, { kind: 'place', hash: `#/vm/${VM}/summary` }],
    [`ebb://vm/${VM}/history`, { kind: 'place', hash: `#/vm/${VM}/history` }],
    ['ebb://help', { kind: 'place', hash: '#/help' }],
    ['ebb://new/', { kind: 'dialog', dialog: 'create' }],
    ['/home/me/old.VHD', { kind: 'file', path: '/home/me/old.VHD' }],
    ['old.vhd', { kind: 'file', path: '/home/me/old.vhd' }],
    ['file:///home/me/a%20b.vhd', { kind: 'file', path: '/home/me/a b.vhd' }],
  ] as const)('reads %s', (word, request) => expect(requestOf(word, '/home/me')).toEqual(request));

  it.each([
    'ebb://vm/../../etc',
    `ebb://vm/${VM}/history?do=delete`,
    `ebb://vm/${VM}/start/now`,
    'ebb://constructor',
    'ebb://quit',
    'EBB://new',
    'https://example.com/a.vhd',
    'file://server/share/a.vhd',
    '--data=/x.vhd',
    '/etc/passwd',
    'a.vhdx',
    '',
  ])('reads nothing in %s', word => expect(requestOf(word, '/home/me')).toBeNull());

  it('takes the last of a command line', () => {
    expect(requestFrom(['--no-sandbox', '/a.vhd', 'ebb://help', 'x'], '/')).toMatchObject({ hash: '#/help' });
    expect(requestFrom(['--no-sandbox'], '/')).toBeNull();
  });
});

describe('the menu of a system', () => {
  const asked: Request[] = [];
  const menu = (platform: NodeJS.Platform, language = 'en') =>
    applicationMenu({
      platform,
      text: shellText(language),
      isDevelopment: false,
      show: () => undefined,
      ask: request => asked.push(request),
      quit: () => undefined,
    } satisfies MenuActions);
  const words = (platform: NodeJS.Platform, language?: string): string =>
    JSON.stringify(menu(platform, language));

  it('has the own menu of macOS there alone, and settings and quitting once everywhere', () => {
    expect(menu('darwin').map(({ label, role }) => label ?? role)).toEqual([
      'Ebb',
      'File',
      'editMenu',
      'View',
      'windowMenu',
      'Help',
    ]);
    for (const platform of ['linux', 'win32'] as const)
      expect(menu(platform).map(({ label, role }) => label ?? role)[0]).toBe('File');
    for (const platform of ['darwin', 'linux', 'win32'] as const) {
      expect(words(platform).match(/Close Ebb \(VMs keep running\)/g)).toHaveLength(1);
      expect(words(platform).match(/Settings…/g)).toHaveLength(1);
      expect(words(platform).match(/"about"/g)).toHaveLength(1);
    }
    expect(words('darwin')).toContain('"services"');
    expect(words('linux')).not.toContain('"services"');
    expect(words('linux')).not.toContain('toggleDevTools');
  });

  it('speaks Chinese, and asks for places', () => {
    expect(words('linux', 'zh-CN')).toContain('虚拟机继续运行');
    const help = menu('linux').at(-1)?.submenu;
    const guide = Array.isArray(help) ? help[0] : undefined;
    (guide?.click as undefined | (() => void))?.();
    expect(asked).toEqual([{ kind: 'place', hash: '#/help' }]);
  });

  it('has the same words in both languages', () => {
    const [en, zh] = [shellText('en-GB'), shellText('zh-CN')];
    expect(Object.keys(zh)).toEqual(Object.keys(en));
    const same = Object.entries(zh).filter(([name, text]) =>
      Object.entries(en).some(([other, one]) => other === name && one === text),
    );
    expect(same).toEqual([]);
  });
});

describe('the way of a request through the shell', () => {
  const driver = standIn();
  let folder: string;
  let control: StubControl;
  const take = () => driver.page().exposed.get('ebbShell')?.takeRequest?.() as Promise<unknown>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ebb-request-'));
    control = await stubControl(folder);
  });
  afterEach(async () => {
    await driver.stop();
    await control.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });

  it('a disk of the first command line waits for the page, which gets a token and no path', async () => {
    const argv = process.argv;
    process.argv = [...argv, '/home/me/disk.vhd'];
    await driver.start(folder);
    process.argv = argv;
    expect(await take()).toEqual({ kind: 'file', file: FILE, name: 'disk.vhd', bytes: 42 });
    expect(control.calls.at(-1)).toMatchObject({ kind: 'local', params: { path: '/home/me/disk.vhd' } });
    expect(await take()).toBeNull();
  });

  it('a link of a second start shows the window and pings its page; a refused file says why', async () => {
    await driver.start(folder);
    let pings = 0;
    driver.page().onMessage(({ data }) => {
      if (data === 'ebb:open') pings++;
    });
    const { app, BrowserWindow } = driver.electron();
    const before = BrowserWindow.all[0]?.focused ?? 0;
    app.emit('second-instance', {}, ['ebb-desktop', `ebb://vm/${VM}/memory`], '/');
    await until('the page is told', () => pings === 1);
    expect(BrowserWindow.all[0]?.focused).toBe(before + 1);
    expect(await take()).toEqual({ kind: 'place', hash: `#/vm/${VM}/memory` });
    let isPrevented = false;
    const event = { preventDefault: () => (isPrevented = true) };
    app.emit('open-file', event, '/missing.vhd');
    expect(isPrevented).toBe(true);
    expect(await take()).toMatchObject({ kind: 'refused', error: { code: 'file.unreadable' } });
    app.emit('open-url', event, 'https://example.com/');
    expect(await take()).toBeNull();
  });

  it('gives a request to no frame but our page, and leaves it waiting', async () => {
    await driver.start(folder);
    const { app, ipcMain, FakeFrame } = driver.electron();
    app.emit('second-instance', {}, ['ebb-desktop', 'ebb://help'], '/');
    const handler = ipcMain.handlers.get('ebb:take-request');
    expect(await handler?.({ senderFrame: new FakeFrame('https://evil.example/', null) })).toBeNull();
    expect(await handler?.({ senderFrame: null })).toBeNull();
    expect(await take()).toEqual({ kind: 'place', hash: '#/help' });
  });

  it("makes menus and tray anew in the page's language; a stranger's word is not heard", async () => {
    await driver.start(folder);
    const { Menu, Tray, ipcMain, FakeFrame } = driver.electron();
    const tray = Tray.last;
    ipcMain.emit('ebb:language', { senderFrame: new FakeFrame('https://evil.example/', null) }, 'zh-CN');
    expect(JSON.stringify(Menu.application?.template)).toContain('VMs keep running');
    driver.page().exposed.get('ebbShell')?.tellLanguage?.('zh-CN');
    expect(JSON.stringify(Menu.application?.template)).toContain('虚拟机继续运行');
    expect(tray?.isDestroyed).toBe(true);
    expect(Tray.last?.isDestroyed).toBe(false);
  });

  it('lets our page copy words out, and no other, and nothing be read', async () => {
    await driver.start(folder);
    expect(await driver.isGranted('clipboard-sanitized-write')).toBe(true);
    expect(await driver.isGranted('clipboard-read')).toBe(false);
    const { defaultSession } = driver.electron().session;
    const evil = { getURL: () => 'https://evil.example/' };
    expect(defaultSession.checkPermission?.(evil, 'clipboard-sanitized-write')).toBe(false);
    expect(defaultSession.checkPermission?.(null, 'clipboard-sanitized-write')).toBe(false);
  });

  it('says that a page keeps crashing after three, and loads it again when it had run for a while', async () => {
    await driver.start(folder);
    const { BrowserWindow, dialog } = driver.electron();
    const contents = BrowserWindow.all[0]?.webContents;
    const now = vi.spyOn(performance, 'now');
    const at = performance.now();
    const crash = (reason: string, ms: number): void => {
      now.mockReturnValue(at + ms);
      contents?.emit('render-process-gone', {}, { reason });
    };
    for (const ms of [0, 10, 20]) crash('crashed', ms);
    expect([contents?.reloads, dialog.errors.length]).toEqual([3, 0]);
    crash('oom', 30);
    crash('clean-exit', 40);
    expect([contents?.reloads, dialog.errors]).toEqual([3, [shellText('en').crashing]]);
    crash('crashed', 60_001);
    expect(contents?.reloads).toBe(4);
    now.mockRestore();
  });
});
