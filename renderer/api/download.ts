// Downloads a file that was written on the computer where Ebb runs to the one where the browser is. The
// desktop's window needs none: it is where Ebb runs.
import type { TaskId } from '../../shared/ids.ts';
import { call } from './connection.ts';
import { desktopShell } from './shell.ts';

export const isElsewhere = (): boolean => desktopShell() === null;

/** Starts the download; the browser asks where to save it and shows its progress. */
export async function downloadOf(taskId: TaskId): Promise<void> {
  const { ticket } = await call('moment.download', { taskId });
  const link = document.createElement('a');
  link.href = `/download?ticket=${ticket}`;
  link.download = '';
  link.click();
}
