// What is shown before, without and after the connection.
import { useSpeech } from '../i18n/text.ts';
import { Button } from './Button.tsx';
import { useService } from './hooks.ts';
import { Notice } from './Notice.tsx';
import { Mark } from './Shapes.tsx';

export function ConnectionScreen() {
  const { text } = useSpeech();
  const connection = useService(state => state.connection);
  const words = text.connection;
  const [title, note] =
    connection === 'signed-out'
      ? [words.signedOut, words.signedOutNote]
      : connection === 'incompatible'
        ? [words.incompatible, words.incompatibleNote]
        : [words.connecting, words.connectingNote];
  return (
    <main className="connection-screen">
      <Mark />
      <h1>{title}</h1>
      <p role="status">{note}</p>
      {connection === 'incompatible' ? (
        <Button look="go" onPress={() => window.location.reload()}>
          {words.reload}
        </Button>
      ) : null}
    </main>
  );
}

export function ConnectionBanner() {
  const { text } = useSpeech();
  const connection = useService(state => state.connection);
  if (connection === 'connected') return null;
  return (
    <div className="banner">
      <Notice tone="warn" title={text.connection.reconnecting} live="polite">
        {text.connection.reconnectingNote}
      </Notice>
    </div>
  );
}
