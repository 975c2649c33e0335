// What a schedule would do if it were saved now, as the service computes it: the next times, the points that
// go, the state of the quota.
import { useEffect, useState } from 'react';
import type { HistoryPreview, Schedule } from '../../shared/history.ts';
import type { VmId } from '../../shared/ids.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { formatBytes, formatMoment } from '../view/format.ts';
import { pointName } from '../view/points.ts';

/** How long typing must pause before the service is asked. */
const STILL_MS = 300;
const SHOWN_MAX = 50;

/** Null until the preview is known, and when the service cannot make it. */
function usePreview(vmId: VmId, schedule: Schedule): HistoryPreview | null {
  const [preview, setPreview] = useState<HistoryPreview | null>(null);
  useEffect(() => {
    let isWanted = true;
    const timer = setTimeout(() => {
      call('history.preview', { vmId, schedule }).then(
        answer => isWanted && setPreview(answer),
        () => isWanted && setPreview(null),
      );
    }, STILL_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [vmId, schedule]);
  return preview;
}

function QuotaLine(props: { readonly quota: HistoryPreview['quota'] }) {
  const { text, language } = useSpeech();
  const { quotaBytes, usedBytes, overBytes, heldBy } = props.quota;
  const words = text.automatic;
  const size = (bytes: number): string => formatBytes(bytes, language);
  if (quotaBytes === null) return <p className="soft">{words.dialog.used(size(usedBytes))}</p>;
  const who = heldBy.map(({ by, bytes }) => words.who[by](size(bytes)));
  return (
    <>
      <p className="soft">{words.dialog.usedOf(size(usedBytes), size(quotaBytes))}</p>
      {overBytes === 0 ? null : (
        <p className="hint warn">
          {words.dialog.over(size(overBytes), new Intl.ListFormat(language).format(who))}
        </p>
      )}
    </>
  );
}

function DropLine({ drop, frees }: Pick<HistoryPreview, 'drop' | 'frees'>) {
  const { text, language } = useSpeech();
  const words = text.automatic.dialog;
  if (drop.length === 0) return <p className="soft">{words.dropNone}</p>;
  return (
    <>
      <p>
        {words.drop(drop.length, formatBytes(frees.freesNowBytes, language))}{' '}
        {frees.freesLaterBytes === 0 ? '' : words.dropLater(formatBytes(frees.freesLaterBytes, language))}
      </p>
      <details>
        <summary>{words.dropShow}</summary>
        <ul className="trash-list">
          {drop.slice(0, SHOWN_MAX).map(({ momentId, name, takenAt }) => (
            <li key={momentId}>
              <span className="trash-name">{pointName({ name, kind: 'automatic' }, text)}</span>
              <span className="soft">{formatMoment(takenAt, language)}</span>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

export function ScheduleMeaning(props: { readonly vmId: VmId; readonly draft: Schedule }) {
  const { text, language } = useSpeech();
  const words = text.automatic.dialog;
  const preview = usePreview(props.vmId, props.draft);
  return (
    <section className="settings-group meaning" aria-live="polite">
      <h3>{words.meaning}</h3>
      {!props.draft.isOn ? (
        <p className="soft">{words.noTimes}</p>
      ) : preview === null ? (
        <p className="quiet">{words.asking}</p>
      ) : (
        <>
          <p>{words.times(preview.nextAt.map(at => formatMoment(at, language)).join(' · '))}</p>
          <DropLine drop={preview.drop} frees={preview.frees} />
          <QuotaLine quota={preview.quota} />
        </>
      )}
    </section>
  );
}
