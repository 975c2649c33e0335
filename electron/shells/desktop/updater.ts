// electron-updater behind the ports of updates.ts. Loaded only in a package that can replace itself.
import type { UpdatePorts } from './updates.ts';

type Updater = Pick<UpdatePorts, 'fetch' | 'install'>;

export async function openUpdater(log: (line: string) => void): Promise<Updater> {
  const { autoUpdater } = await import('electron-updater');
  const quiet = (): void => undefined;
  autoUpdater.logger = { info: quiet, warn: log, error: log };
  // A task may run when the window closes, so a new version is installed only when the person says so.
  autoUpdater.autoInstallOnAppQuit = false;
  return {
    fetch: async () => {
      const found = await autoUpdater.checkForUpdates();
      if (found?.isUpdateAvailable !== true) return null;
      await found.downloadPromise;
      return found.updateInfo.version;
    },
    install: () => autoUpdater.quitAndInstall(true, true),
  };
}
