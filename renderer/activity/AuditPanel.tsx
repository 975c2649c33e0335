// The audit: who changed what. New records are announced, and shown on a press: the table must not move.
import { useCallback, useState } from 'react';
import type { AuditEntry, AuditHead, AuditOutcome } from '../../shared/audit.ts';
import { auditOutcomeSchema } from '../../shared/audit.ts';
import type { VmId } from '../../shared/ids.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { actionWords, changeWords, outcomeLook } from '../view/audit.ts';
import { formatMoment } from '../view/format.ts';
import { ChainCheck } from './ChainCheck.tsx';
import { Choice, VmChoice } from './Choice.tsx';
import { PageFoot } from './PageFoot.tsx';
import { usePages } from './use-pages.ts';

const PAGE = 50;
const KINDS = ['', 'memory', 'moment', 'vm', 'policy', 'headless'] as const;
type Kind = (typeof KINDS)[number];

function Row(props: { readonly entry: AuditEntry }) {
  const { text, language } = useSpeech();
  const { entry } = props;
  const words = text.activity.audit;
  return (
    <tr>
      <td className="quiet">
        <time dateTime={new Date(entry.at).toISOString()}>{formatMoment(entry.at, language)}</time>
      </td>
      <td>{actionWords(entry.action, words)}</td>
      <td className="wrap">{entry.vmName}</td>
      <td className="wrap soft">{changeWords(entry, words, language)}</td>
      <td>
        <span className={outcomeLook(entry.outcome)} title={entry.code ?? undefined}>
          {words.outcomes[entry.outcome]}
        </span>
        {entry.times > 1 ? <span className="quiet"> {words.times(entry.times)}</span> : null}
      </td>
      <td className="quiet" title={entry.user}>
        {words.via[entry.via]}
        {entry.by === undefined ? null : `: ${entry.by}`}
      </td>
    </tr>
  );
}

function Filters(props: {
  readonly vmId: VmId | null;
  readonly kind: Kind;
  readonly outcome: AuditOutcome | null;
  readonly onVm: (vmId: VmId | null) => void;
  readonly onKind: (kind: Kind) => void;
  readonly onOutcome: (outcome: AuditOutcome | null) => void;
}) {
  const { text } = useSpeech();
  const words = text.activity.audit;
  const outcomes = auditOutcomeSchema.options.map(
    outcome => [outcome as string, words.outcomes[outcome]] as const,
  );
  return (
    <>
      <Choice
        label={words.kind}
        value={props.kind}
        options={KINDS.map(kind => [kind, words.kinds[kind]] as const)}
        onChange={props.onKind}
      />
      <Choice
        label={words.columns.outcome}
        value={props.outcome ?? ''}
        options={[['', words.all] as const, ...outcomes]}
        onChange={value => props.onOutcome(auditOutcomeSchema.safeParse(value).data ?? null)}
      />
      <VmChoice value={props.vmId} onChange={props.onVm} />
    </>
  );
}

function AuditTable(props: { readonly entries: readonly AuditEntry[] }) {
  const { text } = useSpeech();
  const { columns } = text.activity.audit;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable
    <section className="table-wrap audit" tabIndex={0} aria-label={text.activity.tabs.audit}>
      <table className="table">
        <thead>
          <tr>
            {(['at', 'action', 'vm', 'what', 'outcome', 'who'] as const).map(column => (
              <th key={column} scope="col">
                {columns[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.entries.map(entry => (
            <Row key={entry.seq} entry={entry} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function AuditPanel() {
  const { text } = useSpeech();
  const words = text.activity.audit;
  const newestSeq = useService(state => state.auditSeq);
  const [vmId, setVmId] = useState<VmId | null>(null);
  const [kind, setKind] = useState<Kind>('');
  const [outcome, setOutcome] = useState<AuditOutcome | null>(null);
  const [head, setHead] = useState<AuditHead | null>(null);
  const ask = useCallback(
    async (beforeSeq: number | null) => {
      const action = kind === '' ? '' : `${kind}.`;
      const page = await call('audit.list', { beforeSeq, limit: PAGE, vmId, action, outcome });
      if (beforeSeq === null) setHead(page.head);
      return { entries: page.entries, next: page.nextBeforeSeq };
    },
    [vmId, kind, outcome],
  );
  const pages = usePages(ask);
  const newer = head === null ? 0 : newestSeq - head.seq;
  return (
    <>
      <div className="filters">
        <Filters {...{ vmId, kind, outcome, onVm: setVmId, onKind: setKind, onOutcome: setOutcome }} />
        <span className="grow" />
        {newer > 0 ? <Button onPress={pages.reload}>{text.activity.newer(newer)}</Button> : null}
      </div>
      {pages.entries.length === 0 ? null : <AuditTable entries={pages.entries} />}
      <PageFoot
        {...pages}
        count={pages.entries.length}
        empty={words.empty}
        onOlder={pages.older}
        onReload={pages.reload}
      />
      {head === null ? null : <ChainCheck head={head} />}
    </>
  );
}
