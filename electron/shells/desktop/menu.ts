// The application menu and the tray: roles the platform knows, and ending the window, which ends no VM.
import type { MenuItemConstructorOptions } from 'electron';

export interface MenuActions {
  readonly isDevelopment: boolean;
  readonly show: () => void;
  readonly quit: () => void;
}

const QUIT_LABEL = 'Close Ebb (VMs keep running)';

export function applicationMenu({ isDevelopment, quit }: MenuActions): MenuItemConstructorOptions[] {
  const development: MenuItemConstructorOptions[] = isDevelopment ? [{ role: 'toggleDevTools' }] : [];
  return [
    { label: 'Ebb', submenu: [{ role: 'about' }, { type: 'separator' }, quitItem(quit)] },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'reload' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...development,
      ],
    },
    { role: 'windowMenu' },
  ];
}

export const trayMenu = ({ show, quit }: MenuActions): MenuItemConstructorOptions[] => [
  { label: 'Show Ebb', click: show },
  quitItem(quit),
];

const quitItem = (quit: () => void): MenuItemConstructorOptions => ({
  label: QUIT_LABEL,
  accelerator: 'CommandOrControl+Q',
  click: quit,
});
