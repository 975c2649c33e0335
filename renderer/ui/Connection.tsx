// The screens shown while there is no connection: before it is made, when it is lost, when it is refused.
import { type FormEvent, useState } from 'react';
import { type NotIn, signIn } from '../api/session.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from './Button.tsx';
import { useService } from './hooks.ts';
import { ErrorWords, Notice } from './Notice.tsx';
import { Mark } from './Shapes.tsx';

function SignIn() {
  const { text } = useSpeech();
  const words = text.connection;
  const [token, setToken] = useState('');
  const before = useService(state => state.problem);
  const [problem, setProblem] = useState<NotIn | null>(before === 'ended' ? null : before);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const notIn = await signIn(token.trim());
    if (notIn === null) return window.location.reload();
    setProblem(notIn);
  };
  return (
    <form className="sign-in" onSubmit={event => void send(event)}>
      <label>
        {words.token}
        <input
          className="input"
          type="password"
          autoComplete="current-password"
          maxLength={200}
          value={token}
          onChange={event => setToken(event.target.value)}
        />
      </label>
      <Button look="go" type="submit" isDisabled={token.trim() === ''}>
        {words.signIn}
      </Button>
      <div role="status">
        {typeof problem === 'string' ? <p>{words.notIn[problem]}</p> : null}
        {problem === null || typeof problem === 'string' ? null : <ErrorWords body={problem} />}
      </div>
    </form>
  );
}

export function ConnectionScreen() {
  const { text } = useSpeech();
  const connection = useService(state => state.connection);
  const words = text.connection;
  const hasEnded = useService(state => state.problem) === 'ended';
  const [title, note] =
    connection === 'signed-out'
      ? hasEnded
        ? [words.ended, words.endedNote]
        : [words.signedOut, words.signedOutNote]
      : connection === 'incompatible'
        ? [words.incompatible, words.incompatibleNote]
        : [words.connecting, words.connectingNote];
  return (
    <main className="connection-screen">
      <Mark />
      <h1>{title}</h1>
      <p role="status">{note}</p>
      {connection === 'signed-out' ? <SignIn /> : null}
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
