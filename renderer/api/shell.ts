// What the desktop shell's preload gives the page, and the hand-over of its port.
//   page → preload   window.postMessage('ebb:connect', origin)
//   preload → page   window.postMessage('ebb:port', origin, [port])   answered once per request
// A browser has no `ebbShell`: it speaks WebSocket and uploads files.
import * as z from 'zod';
import { fileTokenSchema } from '../../shared/ids.ts';

export const pickedFileSchema = z.object({
  file: fileTokenSchema,
  name: z.string(),
  bytes: z.int().min(0),
});
export type PickedFile = z.infer<typeof pickedFileSchema>;

export interface EbbShell {
  /** The native open dialog; the shell registers the file and hands over only its token. Null: cancelled. */
  pickFile(kind: 'disk' | 'iso'): Promise<unknown>;
}

declare global {
  interface Window {
    readonly ebbShell?: EbbShell;
  }
}

export const desktopShell = (): EbbShell | null => window.ebbShell ?? null;

const PORT_DEADLINE_MS = 10_000;

export function requestPort(): Promise<MessagePort> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      window.removeEventListener('message', listen);
      reject(new Error('the desktop shell handed over no port'));
    }, PORT_DEADLINE_MS);
    const listen = (event: MessageEvent): void => {
      const [port] = event.ports;
      if (event.source !== window || event.data !== 'ebb:port' || port === undefined) return;
      clearTimeout(deadline);
      window.removeEventListener('message', listen);
      resolve(port);
    };
    window.addEventListener('message', listen);
    window.postMessage('ebb:connect', window.location.origin);
  });
}
