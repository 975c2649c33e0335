// The native open dialog: the person chooses, this process registers the path with control, the page gets a token.
import type { Dialog, IpcMain, IpcMainInvokeEvent, OpenDialogOptions } from 'electron';
import { Fault } from '../../../shared/result.ts';
import { isOurPage } from './port-broker.ts';
import type { ShellText } from './texts.ts';

export interface Picked {
  readonly file: string;
  readonly name: string;
  readonly bytes: number;
}
export interface PickFileOptions {
  readonly ipcMain: IpcMain;
  readonly dialog: Dialog;
  /** Registers the path over control's socket for local callers, which may name paths. */
  readonly registerFile: (path: string) => Promise<Picked>;
  readonly text: () => ShellText;
}

const dialogs = (text: ShellText): Readonly<Record<string, OpenDialogOptions>> => ({
  disk: {
    title: text.chooseDisk,
    filters: [
      { name: text.diskImages, extensions: ['vhd', 'qcow2', 'raw', 'img', 'vmdk', 'vdi', 'vhdx'] },
      { name: text.allFiles, extensions: ['*'] },
    ],
  },
  iso: { title: text.chooseIso, filters: [{ name: text.isoImages, extensions: ['iso'] }] },
});

/** Answers a token, null when cancelled, or `{ error }`: a fault thrown over IPC would lose its body. */
async function pick(
  event: IpcMainInvokeEvent,
  kind: unknown,
  { dialog, registerFile, text }: PickFileOptions,
): Promise<unknown> {
  const known = dialogs(text());
  const wanted = typeof kind === 'string' && Object.hasOwn(known, kind) ? known[kind] : undefined;
  if (!isOurPage(event) || wanted === undefined) return null;
  const { canceled, filePaths } = await dialog.showOpenDialog({ ...wanted, properties: ['openFile'] });
  const [path] = filePaths;
  if (canceled || path === undefined) return null;
  try {
    const { file, name, bytes } = await registerFile(path);
    return { file, name, bytes };
  } catch (error) {
    if (error instanceof Fault) return { error: error.body };
    throw error;
  }
}

export function offerFilePicker(options: PickFileOptions): void {
  options.ipcMain.handle('ebb:pick-file', (event, kind: unknown) => pick(event, kind, options));
}
