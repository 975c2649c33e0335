// Checks the audit's chain, and shows the newest record's hash for people to write down elsewhere.

import { useState } from 'react';
import type { AuditHead, AuditReport } from '../../shared/audit.ts';
import type { ErrorBody } from '../../shared/errors.ts';
import { Fault } from '../../shared/result.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import { CommandError } from '../ui/TaskProgress.tsx';

const SHOWN_MAX = 10;

function Report(props: { readonly report: AuditReport }) {
  const { text } = useSpeech();
  const words = text.activity.audit;
  const { records, problems, problemCount } = props.report;
  if (problemCount === 0) return <Notice tone="good" title={words.whole(records)} live="polite" />;
  return (
    <Notice tone="bad" title={words.broken(problemCount)} live="assertive">
      <ul>
        {problems.slice(0, SHOWN_MAX).map(({ kind, fromSeq, toSeq }) => (
          <li key={`${kind}${fromSeq}`}>
            {words.records(fromSeq, toSeq)}: {words.problems[kind]}
          </li>
        ))}
      </ul>
      <p className="todo">{words.brokenNote}</p>
    </Notice>
  );
}

export function ChainCheck(props: { readonly head: AuditHead }) {
  const { text } = useSpeech();
  const words = text.activity.audit;
  const [report, setReport] = useState<AuditReport | null>(null);
  const [error, setError] = useState<ErrorBody | null>(null);
  const [isChecking, setChecking] = useState(false);
  const check = async (): Promise<void> => {
    setChecking(true);
    try {
      setReport(await call('audit.verify', {}));
      setError(null);
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      setError(cause.body);
    } finally {
      setChecking(false);
    }
  };
  return (
    <section className="chain">
      <div className="chain-head">
        <Button needs="audit.verify" onPress={check} isDisabled={isChecking}>
          {words.verify}
        </Button>
        <p className="quiet code">{words.head(props.head.seq, props.head.hash)}</p>
      </div>
      {report === null ? null : <Report report={report} />}
      <CommandError verb={words.verify} error={error} />
    </section>
  );
}
