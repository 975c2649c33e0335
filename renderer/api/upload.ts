// Turns a file the person chose in a browser into a token, by upload (in the desktop shell the native dialog
// does). The page never names a path (DESIGN §8).

import { Fault } from '../../shared/result.ts';
import { errorIn } from './answers.ts';
import { type PickedFile, pickedFileSchema } from './shell.ts';

const failed = (what: string): Fault =>
  new Fault({
    code: 'file.unreadable',
    what,
    safe: 'Your file was only read; it is untouched.',
    todo: 'Check that the service is reachable and has disk space, then choose the file again.',
  });

function readAnswer(request: XMLHttpRequest): PickedFile | Fault {
  try {
    const answer: unknown = JSON.parse(request.responseText);
    if (request.status >= 200 && request.status < 300) {
      const parsed = pickedFileSchema.safeParse(answer);
      if (parsed.success) return parsed.data;
    }
    const body = errorIn(answer);
    if (body !== null) return new Fault(body);
  } catch {
    // Not JSON: the status below is told instead.
  }
  return failed(`The upload was answered with status ${request.status}.`);
}

export function uploadFile(
  file: File,
  options: { readonly onProgress: (share: number) => void; readonly signal: AbortSignal },
): Promise<PickedFile> {
  return new Promise((resolve, reject) => {
    // XMLHttpRequest, because fetch does not tell how much of a body has been sent.
    const request = new XMLHttpRequest();
    request.open('POST', `/upload?name=${encodeURIComponent(file.name.slice(0, 255))}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.addEventListener('progress', event => {
      if (event.lengthComputable && event.total > 0) options.onProgress(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      const answer = readAnswer(request);
      if (answer instanceof Fault) reject(answer);
      else resolve(answer);
    });
    request.addEventListener('error', () => reject(failed(`The upload of ${file.name} was interrupted.`)));
    request.addEventListener('abort', () => reject(failed(`The upload of ${file.name} was cancelled.`)));
    options.signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}
