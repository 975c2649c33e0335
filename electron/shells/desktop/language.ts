// The page tells which language the person chose, so that menus and dialogs speak it too.
import type { IpcMain } from 'electron';
import { isOurPage } from './port-broker.ts';

export function followLanguage(ipcMain: IpcMain, use: (language: string) => void): void {
  ipcMain.on('ebb:language', (event, language: unknown) => {
    if (isOurPage(event) && (language === 'en' || language === 'zh-CN')) use(language);
  });
}
