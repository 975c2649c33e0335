// Keeps the newest request until our page takes it: a link may come before there is a page. The page gets no
// path: a file is registered with control first, as in pick-file.ts, and the page gets its token.
import type { IpcMain } from 'electron';
import { Fault } from '../../../shared/result.ts';
import type { Picked } from './pick-file.ts';
import { isOurPage } from './port-broker.ts';
import type { Request } from './requests.ts';

export interface RequestDeskOptions {
  readonly ipcMain: IpcMain;
  readonly registerFile: (path: string) => Promise<Picked>;
  /** Shows the window and tells its page that something waits. */
  readonly tell: () => void;
}

export interface RequestDesk {
  ask(request: Request): void;
}

export function openRequestDesk({ ipcMain, registerFile, tell }: RequestDeskOptions): RequestDesk {
  let waiting: Request | null = null;
  ipcMain.handle('ebb:take-request', async event => {
    if (!isOurPage(event)) return null;
    const taken = waiting;
    waiting = null;
    return taken?.kind === 'file' ? answerFile(taken.path, registerFile) : taken;
  });
  return {
    ask: request => {
      waiting = request;
      tell();
    },
  };
}

async function answerFile(path: string, registerFile: RequestDeskOptions['registerFile']): Promise<unknown> {
  try {
    const { file, name, bytes } = await registerFile(path);
    return { kind: 'file', file, name, bytes };
  } catch (error) {
    if (error instanceof Fault) return { kind: 'refused', error: error.body };
    throw error;
  }
}
