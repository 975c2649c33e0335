// The doctor's report: what is right or wrong with this computer, each with the exact step that mends it.
import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { Check, DoctorReport } from '../../shared/host.ts';
import { errorBodyOf } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ErrorWords } from '../ui/Notice.tsx';

const SIGNS = { ok: CircleCheck, warn: TriangleAlert, fail: CircleX } as const;

function CheckRow(props: { readonly check: Check }) {
  const { text } = useSpeech();
  const { check } = props;
  const [copied, setCopied] = useState(false);
  const Sign = SIGNS[check.state];
  return (
    <li className={`check ${check.state}`}>
      <Sign size={18} strokeWidth={1.75} aria-hidden />
      <div>
        <strong>{text.setup.checks[check.id] ?? check.title}</strong>{' '}
        <span className={`chip ${check.state === 'ok' ? 'calm' : check.state === 'warn' ? 'warn' : 'bad'}`}>
          {text.doctor.states[check.state]}
        </span>
        <p className="soft wrap">{check.found}</p>
        {check.fix === '' ? null : (
          <p className="fix">
            <code>{check.fix}</code>
            <Button
              look="flat"
              onPress={() =>
                navigator.clipboard.writeText(check.fix).then(
                  () => setCopied(true),
                  () => undefined,
                )
              }
            >
              {copied ? text.doctor.copied : text.doctor.copy}
            </Button>
          </p>
        )}
      </div>
    </li>
  );
}

export function DoctorDialog(props: { readonly onClose: () => void }) {
  const { text } = useSpeech();
  const [report, setReport] = useState<DoctorReport | null>(null);
  const [error, setError] = useState<ErrorBody | null>(null);
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every turn asks again
  useEffect(() => {
    let isHere = true;
    setReport(null);
    setError(null);
    call('doctor.run', {}).then(
      found => isHere && setReport(found),
      (fault: unknown) => isHere && setError(errorBodyOf(fault)),
    );
    return () => {
      isHere = false;
    };
  }, [turn]);
  return (
    <Dialog
      title={text.doctor.title}
      size="medium"
      onClose={props.onClose}
      actions={
        <>
          <Button onPress={() => setTurn(turn + 1)}>{text.doctor.again}</Button>
          <Button look="go" onPress={props.onClose}>
            {text.app.close}
          </Button>
        </>
      }
    >
      {error !== null ? <ErrorWords body={error} /> : null}
      {report === null && error === null ? <p role="status">{text.doctor.running}</p> : null}
      {report?.ok === true ? <p>{text.doctor.good}</p> : null}
      <ul className="checks">
        {report?.checks.map(check => (
          <CheckRow key={check.id} check={check} />
        ))}
      </ul>
    </Dialog>
  );
}
