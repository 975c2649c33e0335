// Forbids every page in this app, whoever made it, to leave, open windows, embed others, download, ask for
// devices or reach the network (DESIGN §8).
import type { App, Session, WebContents } from 'electron';
import { isPageUrl } from './app-protocol.ts';

/** devtools:// is what an unpackaged build's developer tools load themselves from. */
const isAllowedUrl = (url: string): boolean => isPageUrl(url) || url.startsWith('devtools://');

/** Grants copying text out, after a click. Reading the clipboard is another permission, never granted. */
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
    // Images made in the page (console, charts) have data: and blob: URLs.
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

/**
 * Whether a package runs without the sandbox: an AppImage adds the switch by itself where the system gives it
 * no user namespace. Tests from source run as root, and may.
 */
export const isUnsandboxed = ({
  isPackaged,
  commandLine,
}: Pick<App, 'isPackaged' | 'commandLine'>): boolean => isPackaged && commandLine.hasSwitch('no-sandbox');

/** Must be called before any window exists. */
export function hardenApp(app: App): void {
  app.enableSandbox();
  app.on('web-contents-created', (_event, contents) => hardenContents(contents));
}
