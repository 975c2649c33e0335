// The chosen point: what it is, what it costs in large figures, and what can be done. Going back is the filled
// button; deleting is the quietest.
import { useState } from 'react';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { formatBytes, formatMoment } from '../view/format.ts';
import type { PointAction } from './PointDialogs.tsx';

function NoteField(props: { readonly vm: VmSummary; readonly moment: Moment }) {
  const { text } = useSpeech();
  const { moment } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const note = typed ?? moment.note;
  const save = async (): Promise<void> => {
    const done = await attempt(text.history.noteSave, () =>
      call('moment.update', { vmId: props.vm.spec.id, momentId: moment.id, note }),
    );
    if (done !== null) setTyped(null);
  };
  return (
    <div className="note">
      <textarea
        aria-label={text.history.note}
        placeholder={text.history.notePlaceholder}
        rows={note.length > 90 ? 3 : 1}
        maxLength={4000}
        value={note}
        onChange={event => setTyped(event.target.value)}
      />
      {typed !== null && typed !== moment.note ? (
        <Button onPress={save}>{text.history.noteSave}</Button>
      ) : null}
    </div>
  );
}

export function PointCard(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly moment: Moment;
  readonly onAction: (kind: PointAction['kind']) => void;
}) {
  const { text, language } = useSpeech();
  const { moment } = props;
  const words = text.history;
  const isRoot = moment.points.some(point => point.form === 'root');
  const isLoose = moment.freesBytes !== null;
  return (
    <section
      className="card point-card"
      aria-label={words.point(moment.name === '' ? words.unnamed : moment.name)}
    >
      <div className="point-text">
        <div className="point-title">
          <h2>{moment.name === '' ? words.unnamed : moment.name}</h2>
          {moment.pinned ? <span className="chip calm">{words.pinned}</span> : null}
          {isRoot ? <span className="chip">{words.newest}</span> : null}
        </div>
        <p className="soft">
          {formatMoment(moment.takenAt, language)} · {words.kinds[moment.kind]}
        </p>
        <NoteField vm={props.vm} moment={moment} />
      </div>
      <div className="price">
        <p className="price-figure">{formatBytes(moment.freesBytes ?? moment.allocatedBytes, language)}</p>
        <p className="soft">{isLoose ? words.freed : words.size}</p>
      </div>
      <div className="point-actions">
        <Button look="go" onPress={() => props.onAction('go-back')}>
          {words.goBack}
        </Button>
        <Button onPress={() => props.onAction('pin')}>{moment.pinned ? words.unpin : words.pin}</Button>
        <Button onPress={() => props.onAction('rename')}>{words.rename}</Button>
        <Button onPress={() => props.onAction('clone')}>{words.clone}</Button>
        <Button onPress={() => props.onAction('export')}>{words.export}</Button>
        <Button look="flat" onPress={() => props.onAction('delete')} isDisabled={moment.keptBecause !== null}>
          {words.delete}
        </Button>
        {moment.keptBecause === null ? null : <span className="quiet kept">{moment.keptBecause}</span>}
      </div>
    </section>
  );
}

export function NowCard(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly onTake: () => void;
}) {
  const { text, language } = useSpeech();
  const words = text.history;
  const isOn = props.vm.state.pid !== null || props.vm.state.phase === 'running';
  return (
    <section className="card point-card" aria-label={words.now}>
      <div className="point-text">
        <div className="point-title">
          <h2>{words.now}</h2>
        </div>
        <p className="soft">
          {words.nowCard}. {isOn ? words.nowCardRunning : words.nowCardOff}
        </p>
      </div>
      <div className="price">
        <p className="price-figure">{formatBytes(props.timeline.nowBytes, language)}</p>
        <p className="soft">{words.sinceLast}</p>
      </div>
      <div className="point-actions">
        <Button onPress={props.onTake}>{words.take}</Button>
      </div>
    </section>
  );
}
