// Exports an update: one file with the differences between two points, for a person who has the older one.
import { useState } from 'react';
import type { DiskId, MomentId } from '../../shared/ids.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { CommandError } from '../ui/TaskProgress.tsx';
import { useCommand } from '../ui/use-command.ts';
import { formatBytes } from '../view/format.ts';
import { firstUpdate, momentOf } from '../view/points.ts';
import { FileProgress, type Writing } from './FileProgress.tsx';
import { PointSelect } from './PointSelect.tsx';
import { useDifference } from './use-difference.ts';

export interface UpdateWish {
  readonly fromId: MomentId;
  readonly toId: MomentId;
  readonly diskId: DiskId | null;
}

function Size(props: { readonly timeline: Timeline; readonly wish: UpdateWish }) {
  const { text, language } = useSpeech();
  const { fromId, toId, diskId } = props.wish;
  const found = useDifference(props.timeline.vmId, fromId, toId);
  // An impossible update is refused by the service in its own words; nothing is guessed here beforehand.
  if (found.kind !== 'known') return <p className="quiet">{text.compare.asking}</p>;
  const { disks } = found.value;
  const disk = diskId === null ? disks[0] : disks.find(other => other.diskId === diskId);
  const bytes = disk?.difference.bytes ?? 0;
  return (
    <p className="quiet" role="status">
      {bytes === 0 ? text.updates.same : text.updates.size(formatBytes(bytes, language))}
    </p>
  );
}

function DiskSelect(props: {
  readonly timeline: Timeline;
  readonly value: DiskId | null;
  readonly onChange: (id: DiskId | null) => void;
}) {
  const { text, language } = useSpeech();
  const { disks } = props.timeline;
  return (
    <Field label={text.updates.disk}>
      {control => (
        <select
          {...control}
          className="select"
          value={props.value ?? disks[0]?.id}
          onChange={event => props.onChange(disks.find(({ id }) => id === event.target.value)?.id ?? null)}
        >
          {disks.map(({ id, virtualBytes }, index) => (
            <option key={id} value={id}>
              {text.compare.disk(index + 1, formatBytes(virtualBytes, language))}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Wish(props: {
  readonly timeline: Timeline;
  readonly wish: UpdateWish;
  readonly onChange: (wish: UpdateWish) => void;
}) {
  const { text } = useSpeech();
  const { timeline, wish, onChange } = props;
  const words = text.updates;
  const isSame = wish.fromId === wish.toId;
  return (
    <>
      <div className="point-pair">
        <PointSelect
          label={words.has}
          timeline={timeline}
          value={wish.fromId}
          nullWords={null}
          parentId={momentOf(timeline, wish.toId)?.parentId ?? null}
          onChange={id => id !== null && onChange({ ...wish, fromId: id })}
        />
        <PointSelect
          label={words.get}
          timeline={timeline}
          value={wish.toId}
          nullWords={null}
          error={isSame ? words.differ : null}
          onChange={id => id !== null && onChange({ ...wish, toId: id })}
        />
      </div>
      {timeline.disks.length < 2 ? null : (
        <DiskSelect
          timeline={timeline}
          value={wish.diskId}
          onChange={diskId => onChange({ ...wish, diskId })}
        />
      )}
      {isSame ? null : <Size timeline={timeline} wish={wish} />}
    </>
  );
}

export function ExportUpdateDialog(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly chosen: Moment | null;
  readonly onClose: () => void;
}) {
  const { text } = useSpeech();
  const { vm, timeline } = props;
  const words = text.updates;
  const [wish, setWish] = useState<UpdateWish | null>(() => {
    const first = firstUpdate(timeline, props.chosen);
    return first === null ? null : { ...first, diskId: null };
  });
  const [writing, setWriting] = useState<Writing | null>(null);
  const { error, isSending, send } = useCommand();
  const write = async (): Promise<void> => {
    if (wish !== null)
      setWriting(await send(() => call('moment.export-delta', { vmId: vm.spec.id, ...wish })));
  };
  const isReady = wish !== null && wish.fromId !== wish.toId && !isSending;
  return (
    <Dialog
      title={words.exportTitle}
      size="medium"
      onClose={props.onClose}
      actions={
        writing !== null || wish === null ? (
          <Button look="go" onPress={props.onClose}>
            {text.app.close}
          </Button>
        ) : (
          <>
            <Button onPress={props.onClose}>{text.app.cancel}</Button>
            <Button needs="moment.export-delta" look="go" onPress={write} isDisabled={!isReady}>
              {words.exportVerb}
            </Button>
          </>
        )
      }
    >
      <CommandError verb={words.exportVerb} error={error} />
      {writing !== null ? (
        <FileProgress writing={writing} />
      ) : wish === null ? (
        <p>{words.twoPoints}</p>
      ) : (
        <>
          <p className="soft">{words.exportText}</p>
          <Wish timeline={timeline} wish={wish} onChange={setWish} />
        </>
      )}
    </Dialog>
  );
}
