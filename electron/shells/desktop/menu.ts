// The application menu, as each system expects it, and the tray. Entries ask the page for a place or a dialog
// and do nothing to a VM themselves; quitting closes the window and ends no VM.
import type { MenuItemConstructorOptions } from 'electron';
import type { Request } from './requests.ts';
import type { ShellText } from './texts.ts';

export interface MenuActions {
  readonly platform: NodeJS.Platform;
  readonly text: ShellText;
  readonly isDevelopment: boolean;
  readonly show: () => void;
  readonly ask: (request: Request) => void;
  readonly quit: () => void;
}

type Item = MenuItemConstructorOptions;
const LINE: Item = { type: 'separator' };

const quitItem = ({ text, quit }: MenuActions): Item => ({
  label: text.quit,
  accelerator: 'CommandOrControl+Q',
  click: quit,
});

const settingsItem = ({ text, ask }: MenuActions): Item => ({
  label: text.settings,
  accelerator: 'CommandOrControl+,',
  click: () => ask({ kind: 'dialog', dialog: 'settings' }),
});

/** macOS keeps these in the program's own menu; elsewhere they are in File and Help. */
const macMenu = (actions: MenuActions): Item => ({
  label: 'Ebb',
  submenu: [
    { role: 'about' },
    LINE,
    settingsItem(actions),
    LINE,
    { role: 'services' },
    LINE,
    { role: 'hide' },
    { role: 'hideOthers' },
    { role: 'unhide' },
    LINE,
    quitItem(actions),
  ],
});

function fileMenu(actions: MenuActions): Item {
  const { text, ask, platform } = actions;
  const newVm: Item = {
    label: text.newVm,
    accelerator: 'CommandOrControl+N',
    click: () => ask({ kind: 'dialog', dialog: 'create' }),
  };
  const end: Item[] =
    platform === 'darwin' ? [{ role: 'close' }] : [settingsItem(actions), LINE, quitItem(actions)];
  return { label: text.file, submenu: [newVm, LINE, ...end] };
}

function viewMenu({ text, ask, isDevelopment }: MenuActions): Item {
  return {
    label: text.view,
    submenu: [
      { label: text.overview, click: () => ask({ kind: 'place', hash: '#/' }) },
      LINE,
      { role: 'reload' },
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { role: 'togglefullscreen' },
      ...(isDevelopment ? [{ role: 'toggleDevTools' } satisfies Item] : []),
    ],
  };
}

const helpMenu = ({ text, ask, platform }: MenuActions): Item => ({
  label: text.help,
  role: 'help',
  submenu: [
    { label: text.guide, accelerator: 'F1', click: () => ask({ kind: 'place', hash: '#/help' }) },
    { label: text.doctor, click: () => ask({ kind: 'dialog', dialog: 'doctor' }) },
    ...(platform === 'darwin' ? [] : [LINE, { role: 'about' } satisfies Item]),
  ],
});

export const applicationMenu = (actions: MenuActions): Item[] => [
  ...(actions.platform === 'darwin' ? [macMenu(actions)] : []),
  fileMenu(actions),
  { role: 'editMenu' },
  viewMenu(actions),
  { role: 'windowMenu' },
  helpMenu(actions),
];

export const trayMenu = (actions: MenuActions): Item[] => [
  { label: actions.text.show, click: actions.show },
  quitItem(actions),
];
