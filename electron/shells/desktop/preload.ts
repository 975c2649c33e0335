// Runs in the sandbox before the page. Passes on exactly four things: one MessagePort per request of the
// page, the native file dialog, requests from outside (links, files, menus), and the person's language.
// Bundled to one CommonJS file.
//   page → preload   window.postMessage('ebb:connect', origin)
//   preload → page   window.postMessage('ebb:port', origin, [port])
//   preload → page   window.postMessage('ebb:open', origin)   something waits to be taken
import { contextBridge, ipcRenderer } from 'electron';

/** The few parts of a page this file uses: the services' layer has no DOM types. */
interface PageWindow {
  readonly location: { readonly origin: string };
  addEventListener(
    type: 'message',
    listener: (event: { readonly source: unknown; readonly data: unknown }) => void,
  ): void;
  postMessage(message: string, origin: string, transfer: readonly unknown[]): void;
}
const page = globalThis as unknown as PageWindow;

contextBridge.exposeInMainWorld('ebbShell', {
  pickFile: (kind: unknown) => ipcRenderer.invoke('ebb:pick-file', kind === 'iso' ? 'iso' : 'disk'),
  takeRequest: () => ipcRenderer.invoke('ebb:take-request'),
  tellLanguage: (language: unknown) =>
    ipcRenderer.send('ebb:language', language === 'zh-CN' ? 'zh-CN' : 'en'),
});

page.addEventListener('message', event => {
  if (event.source === page && event.data === 'ebb:connect') ipcRenderer.send('ebb:connect');
});
ipcRenderer.on('ebb:open', () => page.postMessage('ebb:open', page.location.origin, []));
ipcRenderer.on('ebb:port', event => {
  page.postMessage('ebb:port', page.location.origin, event.ports);
});
