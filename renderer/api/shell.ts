// The page's side of the desktop shell: the functions its preload gives the page, and the hand-over of the
// port.
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

/** A fault comes as a value: thrown over IPC it would lose its body. */
const answerSchema = z.union([z.null(), z.object({ error: errorBodySchema }), pickedFileSchema]);

/** Reads the answer of `pickFile`. Null: the person cancelled. Throws Fault when the file was refused. */
export function readPicked(answer: unknown): PickedFile | null {
  const picked = answerSchema.parse(answer);
  if (picked !== null && 'error' in picked) throw new Fault(picked.error);
  return picked;
}

export interface EbbShell {
  /** The native open dialog; the shell registers the file and hands over only its token. See `readPicked`. */
  pickFile(kind: 'disk' | 'iso'): Promise<unknown>;
  /** Takes the request from outside that waits, if any; see `requests.ts`. */
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
