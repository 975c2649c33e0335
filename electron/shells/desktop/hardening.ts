// What no page in this app may do, whoever made the page: leave, open windows, embed, download, ask for devices, reach
// the network (DESIGN §8).
import type { App, Session, WebContents } from 'electron';
import { isPageUrl } from './app-protocol.ts';

/** Developer tools of an unpackaged build load themselves. */
const isAllowedUrl = (url: string): boolean => isPageUrl(url) || url.startsWith('devtools://');

/** Copying words out, after a press; reading what is on the clipboard is another permission. */
const isGranted = (permission: string, url: string): boolean =>
  permission === 'clipboard-sanitized-write' && isPageUrl(url);

export function hardenSession(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, answer) =>
    answer(isGranted(permission, contents?.getURL() ?? '')),
  );
  session.setPermissionCheckHandler((contents, permission) =>
    isGranted(permission, contents?.getURL() ?? ''),
  );
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, answer) => {
    // Images made in the page (console, charts) are data and blob.
    const isLocal = isAllowedUrl(details.url) || /^(?:data|blob):/.test(details.url);
    answer({ cancel: !isLocal });
  });
  session.on('will-download', event => event.preventDefault());
}

function hardenContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-navigate', details => {
    if (!isAllowedUrl(details.url)) details.preventDefault();
  });
  contents.on('will-redirect', details => details.preventDefault());
  contents.on('will-frame-navigate', details => {
    if (!details.isMainFrame || !isAllowedUrl(details.url)) details.preventDefault();
  });
  contents.on('will-attach-webview', event => event.preventDefault());
}

/** An AppImage adds the switch by itself where the system gives it no user namespace; tests from source run as root. */
export const isUnsandboxed = ({
  isPackaged,
  commandLine,
}: Pick<App, 'isPackaged' | 'commandLine'>): boolean => isPackaged && commandLine.hasSwitch('no-sandbox');

/** Before any window exists. */
export function hardenApp(app: App): void {
  app.enableSandbox();
  app.on('web-contents-created', (_event, contents) => hardenContents(contents));
}
