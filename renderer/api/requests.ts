// Carries out requests from the desktop shell: a link, a disk opened in a file manager, a menu entry.
import * as z from 'zod';
import { errorBodySchema } from '../../shared/errors.ts';
import { speak } from '../i18n/text.ts';
import { goTo, openDialog, parsePlace, showError } from '../state/navigation.ts';
import { offerFile } from '../state/offered-file.ts';
import { preferencesStore } from '../state/preferences.ts';
import { desktopShell, pickedFileSchema } from './shell.ts';

const requestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('place'), hash: z.string().max(200) }),
  z.object({ kind: z.literal('dialog'), dialog: z.enum(['create', 'doctor', 'settings']) }),
  z.object({ kind: z.literal('file'), ...pickedFileSchema.shape }),
  z.object({ kind: z.literal('refused'), error: errorBodySchema }),
]);

/** `answer` is whatever the shell gave, unchecked. */
export function followRequest(answer: unknown): void {
  const request = requestSchema.nullable().parse(answer);
  switch (request?.kind) {
    case 'place':
      return goTo(parsePlace(request.hash));
    case 'dialog':
      return openDialog(request.dialog);
    case 'file':
      offerFile({ kind: 'ready', file: request.file, name: request.name, bytes: request.bytes });
      return openDialog('create');
    case 'refused':
      return showError(speak().app.failed(speak().create.title), request.error);
  }
}

/** Follows requests as long as the page lives. A browser has no shell, and gets none. */
export function followRequests(): void {
  const shell = desktopShell();
  if (shell === null) return;
  const take = (): void => void shell.takeRequest().then(followRequest);
  window.addEventListener('message', event => {
    if (event.source === window && event.data === 'ebb:open') take();
  });
  take();
  const tell = (): void => shell.tellLanguage(preferencesStore.getState().language);
  preferencesStore.subscribe(tell);
  tell();
}
