// A file that was written where Ebb runs, fetched to where the browser is. The desktop's window is where Ebb runs.
import type { TaskId } from '../../shared/ids.ts';
import { call } from './connection.ts';
import { desktopShell } from './shell.ts';

export const isElsewhere = (): boolean => desktopShell() === null;

/** The browser takes it from here: where to, and how far it is. */
export async function downloadOf(taskId: TaskId): Promise<void> {
  const { ticket } = await call('moment.download', { taskId });
  const link = document.createElement('a');
  link.href = `/download?ticket=${ticket}`;
  link.download = '';
  link.click();
}
