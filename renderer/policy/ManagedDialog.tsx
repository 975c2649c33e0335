// Everything IT set for this computer: the values in force, by which file, and what is wrong with files.
import { useState } from 'react';
import type { PolicyReport, PolicyRow } from '../../shared/policy/report.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { useService } from '../ui/hooks.ts';
import { keyWords, limitText, placesOf, valueText } from '../view/policy.ts';

function Row(props: { readonly row: PolicyRow }) {
  const { text, language } = useSpeech();
  const { row } = props;
  const { title, doc } = keyWords(row.key, language);
  const words = text.policy;
  return (
    <tr>
      <th scope="row">
        {title}
        <small>{doc}</small>
        {row.reason === '' ? null : <small>{words.reason(row.reason)}</small>}
      </th>
      <td>{valueText(row, words, language)}</td>
      <td>{limitText(row, words, language) || words.none}</td>
      <td>
        {row.isManaged ? row.organization || words.managed : words.recommended}
        <small>{placesOf(row).join(', ')}</small>
      </td>
    </tr>
  );
}

function Files(props: { readonly report: PolicyReport }) {
  const { text, language } = useSpeech();
  const words = text.policy;
  const { files, conflicts } = props.report;
  const number = new Intl.NumberFormat(language);
  return (
    <section className="settings-group">
      <h3>{words.files}</h3>
      <ul className="policy-files">
        {files.map(({ path, state, problems }) => (
          <li key={path}>
            <span className="wrap">{path}</span>
            <strong className={state === 'in-force' ? 'soft' : 'trouble'}>{words.states[state]}</strong>
            {problems.map(({ line, what }) => (
              <small key={`${line}${what}`}>
                {line === 0 ? '' : `${words.line(number.format(line))}: `}
                {what}
              </small>
            ))}
          </li>
        ))}
      </ul>
      {conflicts.length === 0 ? null : (
        <>
          <h3>{words.conflicts}</h3>
          <ul className="policy-files">
            {conflicts.map(conflict => (
              <li key={conflict}>
                <small className="wrap">{conflict}</small>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Copy(props: { readonly report: PolicyReport }) {
  const { text } = useSpeech();
  const [isCopied, setCopied] = useState(false);
  const copy = (): void =>
    void navigator.clipboard.writeText(JSON.stringify(props.report, null, 2)).then(() => setCopied(true));
  return <Button onPress={copy}>{isCopied ? text.policy.copied : text.policy.copy}</Button>;
}

export function ManagedDialog(props: { readonly onClose: () => void }) {
  const { text } = useSpeech();
  const report = useService(state => state.policy);
  const words = text.policy;
  const rows = report?.rows.filter(({ isManaged, from }) => isManaged || from === 'recommended') ?? [];
  return (
    <Dialog
      title={report?.organization ? words.managedBy(report.organization) : words.title}
      size="wide"
      onClose={props.onClose}
      actions={
        <>
          {report === null ? null : <Copy report={report} />}
          <Button look="go" onPress={props.onClose}>
            {text.app.close}
          </Button>
        </>
      }
    >
      <p className="soft">
        {words.intro}
        {report?.contact ? ` ${words.contact(report.contact)}` : ''}
      </p>
      {rows.length === 0 ? (
        <p>{words.empty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what is read on must be reached by the keyboard
        <section tabIndex={0} aria-label={words.title}>
          <table className="table policy-table">
            <thead>
              <tr>
                <th scope="col">{words.key}</th>
                <th scope="col">{words.inForce}</th>
                <th scope="col">{words.limit}</th>
                <th scope="col">{words.setBy}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(row => (
                <Row key={row.key} row={row} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {report === null || report.files.length === 0 ? null : <Files report={report} />}
    </Dialog>
  );
}
