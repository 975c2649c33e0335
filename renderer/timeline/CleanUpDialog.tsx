// Cleaning up: a slider over the oldest points, the names of those that go, what they free, the way back.
import { useEffect, useState } from 'react';
import type { CleanUp, Frees } from '../../shared/history.ts';
import type { Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { CheckField } from '../ui/Field.tsx';
import { CommandError } from '../ui/TaskProgress.tsx';
import { useCommand } from '../ui/use-command.ts';
import { formatBytes, formatMoment } from '../view/format.ts';
import { momentOf, pointName } from '../view/points.ts';
import { freesOf, staying } from '../view/schedule.ts';
import { type Cleaned, CleanedNotice } from './CleanedNotice.tsx';

/** The points offered for cleaning up; asked for again when the history changes, so that all exist. */
function useOffer(timeline: Timeline, alsoPersons: boolean, isDone: boolean) {
  const { error, send } = useCommand();
  const [offer, setOffer] = useState<CleanUp | null>(null);
  const { vmId } = timeline;
  const known = timeline.moments.map(({ id, pinned }) => `${id}${pinned}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `known` stands for the points
  useEffect(() => {
    if (isDone) return;
    let isWanted = true;
    void send(() => call('history.offer', { vmId, alsoPersons })).then(
      answer => isWanted && answer !== null && setOffer(answer),
    );
    return () => {
      isWanted = false;
    };
  }, [vmId, alsoPersons, known, isDone]);
  return { offer, error };
}

function Going(props: { readonly offer: CleanUp; readonly count: number; readonly timeline: Timeline }) {
  const { text, language } = useSpeech();
  const words = text.automatic.clean;
  const going = props.offer.candidates.slice(0, props.count);
  if (going.length === 0) return <p className="quiet">{words.none}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable
    <ul className="trash-list clean-list" tabIndex={0} aria-label={words.list}>
      {going.map(({ momentId, name, takenAt }) => (
        <li key={momentId}>
          <span className="trash-name">
            {pointName(momentOf(props.timeline, momentId) ?? { name }, text)}
          </span>
          <span className="soft">{formatMoment(takenAt, language)}</span>
        </li>
      ))}
    </ul>
  );
}

function FreesWords(props: { readonly count: number; readonly frees: Frees }) {
  const { text, language } = useSpeech();
  const words = text.automatic.clean;
  const { freesNowBytes, freesLaterBytes } = props.frees;
  if (props.count === 0) return null;
  return (
    <p>
      {words.frees(props.count, formatBytes(freesNowBytes, language))}{' '}
      {freesLaterBytes === 0 ? '' : words.later(formatBytes(freesLaterBytes, language))}
    </p>
  );
}

function Slider(props: {
  readonly offer: CleanUp;
  readonly count: number;
  readonly onCount: (count: number) => void;
}) {
  const { text, language } = useSpeech();
  const words = text.automatic.clean;
  const { offer, count } = props;
  const { freesNowBytes } = freesOf(offer, count);
  return (
    <input
      className="clean-slider"
      type="range"
      min={0}
      max={offer.candidates.length}
      value={count}
      aria-label={words.slider}
      aria-valuetext={words.value(count, formatBytes(freesNowBytes, language))}
      onChange={event => props.onCount(Number(event.target.value))}
    />
  );
}

function Stay(props: { readonly offer: CleanUp }) {
  const { text, language } = useSpeech();
  const words = text.automatic.clean;
  const parts = staying(props.offer).map(([why, count]) => words.stays[why](count));
  if (parts.length === 0) return null;
  return <p className="keep">{words.stay(new Intl.ListFormat(language).format(parts))}</p>;
}

export function CleanUpDialog(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly onClose: () => void;
}) {
  const { text } = useSpeech();
  const { vm, timeline } = props;
  const vmId = vm.spec.id;
  const words = text.automatic.clean;
  const command = useCommand();
  const [isMine, setMine] = useState(false);
  const [wanted, setWanted] = useState(0);
  const [cleaned, setCleaned] = useState<Cleaned | null>(null);
  const { offer, error } = useOffer(timeline, isMine, cleaned !== null);
  const count = Math.min(wanted, offer?.candidates.length ?? 0);
  const clean = async (): Promise<void> => {
    const momentIds = offer?.candidates.slice(0, count).map(({ momentId }) => momentId) ?? [];
    const frees = await command.send(() => call('history.clean', { vmId, momentIds }));
    if (frees !== null) setCleaned({ ...frees, momentIds });
  };
  return (
    <Dialog
      title={words.title(vm.spec.name)}
      size="medium"
      onClose={props.onClose}
      actions={
        <>
          <Button onPress={props.onClose}>{cleaned === null ? text.app.cancel : text.app.close}</Button>
          {cleaned === null ? (
            <Button
              needs="history.clean"
              look="go"
              onPress={clean}
              isDisabled={count === 0 || command.isSending}
            >
              {words.verb(count)}
            </Button>
          ) : null}
        </>
      }
    >
      <CommandError verb={words.failed} error={command.error ?? error} />
      {cleaned !== null ? (
        <CleanedNotice vmId={vmId} cleaned={cleaned} command={command} />
      ) : (
        <>
          <p>{words.text}</p>
          <CheckField label={words.mine} isOn={isMine} onChange={setMine} />
          {offer === null ? (
            <p className="quiet">{text.app.loading}</p>
          ) : offer.candidates.length === 0 ? (
            <p className="quiet">{words.nothing}</p>
          ) : (
            <>
              <Slider offer={offer} count={count} onCount={setWanted} />
              <FreesWords count={count} frees={freesOf(offer, count)} />
              <Going offer={offer} count={count} timeline={timeline} />
            </>
          )}
          {offer === null ? null : <Stay offer={offer} />}
        </>
      )}
    </Dialog>
  );
}
