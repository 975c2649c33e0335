// What the desktop shell's preload gives the page, and the hand-over of its port.
//   page → preload   window.postMessage('ebb:connect', origin)
//   preload → page   window.postMessage('ebb:port', origin, [port])   answered once per request
// A browser has no `ebbShell`: it speaks WebSocket and uploads files.
import * as z from 'zod';
import { errorBodySchema } from '../../shared/errors.ts';
import { fileTokenSchema } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';

export const pickedFileSchema = z.object({
  file: fileTokenSchema,
  name: z.string(),
  bytes: z.int().min(0),
});
export type PickedFile = z.infer<typeof pickedFileSchema>;

/** A fault's body would not survive being thrown over IPC: it comes as a value. */
const answerSchema = z.union([z.null(), z.object({ error: errorBodySchema }), pickedFileSchema]);

/** What `pickFile` answered. Null: cancelled. Throws Fault where the file was refused. */
export function readPicked(answer: unknown): PickedFile | null {
  const picked = answerSchema.parse(answer);
  if (picked !== null && 'error' in picked) throw new Fault(picked.error);
  return picked;
}

export interface EbbShell {
  /** The native open dialog; the shell registers the file and hands over only its token. See `readPicked`. */
  pickFile(kind: 'disk' | 'iso'): Promise<unknown>;
  /** What was asked from outside and waits; see `requests.ts`. */
  takeRequest(): Promise<unknown>;
  tellLanguage(language: string): void;
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
