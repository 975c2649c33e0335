// The card of the chosen point: what it is, its costs in large figures, and its verbs. Going back is the
// filled button; deleting is the quietest.

import { Ellipsis } from 'lucide-react';
import { useState } from 'react';
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { mayCall } from '../../shared/roles.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { useRole } from '../policy/role.ts';
import type { PointVerb } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { formatBytes, formatMoment } from '../view/format.ts';
import { pointName } from '../view/points.ts';
import { setupDifferences } from '../view/setup-differences.ts';
import { DiskDifferences } from './HeatStrip.tsx';
import { PointScreen } from './PointScreen.tsx';
import { useDifference } from './use-difference.ts';

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
        <Button needs="moment.update" onPress={save}>
          {text.history.noteSave}
        </Button>
      ) : null}
    </div>
  );
}

/** Compares only when a person asks: a long history has many points. */
function ChangedSince(props: { readonly timeline: Timeline; readonly moment: Moment }) {
  const { timeline, moment } = props;
  const found = useDifference(timeline.vmId, moment.id, null);
  return <DiskDifferences found={found} timeline={timeline} isShort />;
}

function SetUpThen(props: { readonly vm: VmSummary; readonly moment: Moment }) {
  const { text, language } = useSpeech();
  const differences = setupDifferences(props.moment, props.vm, text, language);
  return differences.length === 0 ? null : <p className="soft">{text.moments.setUpThen(differences)}</p>;
}

function RarerVerbs(props: { readonly onVerb: (verb: PointVerb) => void }) {
  const { text } = useSpeech();
  const words = text.history;
  const { onVerb } = props;
  const role = useRole();
  return (
    <MenuTrigger>
      <AriaButton className="btn icon" aria-label={words.more}>
        <Ellipsis size={16} aria-hidden />
      </AriaButton>
      <Popover className="popover" placement="bottom start">
        <Menu className="menu" aria-label={words.more}>
          <MenuItem isDisabled={!mayCall(role, 'moment.files')} onAction={() => onVerb('files')}>
            {text.files.verb}
          </MenuItem>
          <MenuItem isDisabled={!mayCall(role, 'vm.clone')} onAction={() => onVerb('clone')}>
            {words.clone}
          </MenuItem>
          <MenuItem isDisabled={!mayCall(role, 'moment.export')} onAction={() => onVerb('export')}>
            {words.export}
          </MenuItem>
          <MenuItem
            isDisabled={!mayCall(role, 'moment.export-delta')}
            onAction={() => onVerb('export-update')}
          >
            {text.historyMenu.exportUpdate}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function Verbs(props: { readonly moment: Moment; readonly onVerb: (verb: PointVerb) => void }) {
  const { text } = useSpeech();
  const { moment, onVerb } = props;
  const words = text.history;
  return (
    <div className="point-actions">
      <Button needs="moment.go-back" look="go" onPress={() => onVerb('go-back')}>
        {words.goBack}
      </Button>
      <Button needs="moment.peek" onPress={() => onVerb('peek')}>
        {text.peek.verb}
      </Button>
      <Button onPress={() => onVerb('compare')}>{text.compare.verb}</Button>
      <Button needs="moment.update" onPress={() => onVerb('pin')}>
        {moment.pinned ? words.unpin : words.pin}
      </Button>
      <Button needs="moment.update" onPress={() => onVerb('rename')}>
        {words.rename}
      </Button>
      <RarerVerbs onVerb={onVerb} />
      <Button
        needs="moment.delete"
        look="flat"
        onPress={() => onVerb('delete')}
        isDisabled={moment.keptBecause !== null}
      >
        {words.delete}
      </Button>
      {moment.keptBecause === null ? null : (
        <span className="quiet kept">{text.spoken(moment.keptBecause)}</span>
      )}
    </div>
  );
}

export function PointCard(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly moment: Moment;
  readonly onVerb: (verb: PointVerb) => void;
}) {
  const { text, language } = useSpeech();
  const { moment } = props;
  const [isAsked, setAsked] = useState(false);
  const words = text.history;
  const isRoot = moment.points.some(point => point.form === 'root');
  const isLoose = moment.freesBytes !== null;
  return (
    <section className="card point-card" aria-label={words.point(pointName(moment, text))}>
      <div className="point-text">
        <div className="point-title">
          <h2>{pointName(moment, text)}</h2>
          {moment.pinned ? <span className="chip calm">{words.pinned}</span> : null}
          {isRoot ? <span className="chip">{words.newest}</span> : null}
        </div>
        <p className="soft">
          {formatMoment(moment.takenAt, language)} · {words.kinds[moment.kind]}
          {moment.extras === undefined ? null : ` · ${text.moments.whole[moment.extras.consistency]}`}
        </p>
        <SetUpThen vm={props.vm} moment={moment} />
        <NoteField vm={props.vm} moment={moment} />
        <div className="since">
          {isAsked ? (
            <ChangedSince timeline={props.timeline} moment={moment} />
          ) : (
            <button type="button" className="link" onClick={() => setAsked(true)}>
              {text.compare.since}
            </button>
          )}
        </div>
      </div>
      <div className="price">
        <p className="price-figure">{formatBytes(moment.freesBytes ?? moment.allocatedBytes, language)}</p>
        <p className="soft">{isLoose ? words.freed : words.size}</p>
        {moment.extras?.memoryBytes == null ? null : (
          <p className="soft">{text.moments.memorySize(formatBytes(moment.extras.memoryBytes, language))}</p>
        )}
        <PointScreen vmId={props.vm.spec.id} moment={moment} />
      </div>
      <Verbs moment={moment} onVerb={props.onVerb} />
    </section>
  );
}
