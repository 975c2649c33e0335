// Errors of commands as cards that stay until dismissed: an error that vanished by itself might not be read.
import { X } from 'lucide-react';
import { useStore } from 'zustand';
import { useSpeech } from '../i18n/text.ts';
import { dismissError, navigationStore } from '../state/navigation.ts';
import { Button } from './Button.tsx';
import { ErrorWords, Notice } from './Notice.tsx';

export function ErrorStack() {
  const { text } = useSpeech();
  const errors = useStore(navigationStore, state => state.errors);
  if (errors.length === 0) return null;
  return (
    <section className="error-stack" aria-label={text.tasks.failed}>
      {errors.map(error => (
        <Notice
          key={error.id}
          tone="bad"
          title={error.title}
          live="assertive"
          action={
            <Button look="icon" label={text.app.dismiss} onPress={() => dismissError(error.id)}>
              <X size={16} aria-hidden />
            </Button>
          }
        >
          <ErrorWords body={error.body} />
        </Notice>
      ))}
    </section>
  );
}
