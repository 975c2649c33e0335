// Copies single files out of a point: the person looks through its folders and chooses files. Neither the
// point nor the VM changes.
import { useState } from 'react';
import type { DiskId } from '../../shared/ids.ts';
import type { FileList } from '../../shared/point-files.ts';
import type { Moment } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { useAnswer } from '../ui/use-answer.ts';
import { formatBytes } from '../view/format.ts';
import { pointName } from '../view/points.ts';
import { FileListing } from './FileListing.tsx';
import { FileProgress, type Writing } from './FileProgress.tsx';

interface Inside {
  readonly diskId: DiskId | null;
  readonly volume: number | null;
  readonly folder: string;
}

function Way(props: { readonly folder: string; readonly onGo: (folder: string) => void }) {
  const { text } = useSpeech();
  const parts = props.folder === '' ? [] : props.folder.split('/');
  const steps = [text.files.root, ...parts];
  return (
    <nav className="file-way" aria-label={text.files.way}>
      {steps.map((name, index) =>
        index === steps.length - 1 ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the way is its own order
          <span key={index} aria-current="location">
            {name}
          </span>
        ) : (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: the way is its own order
            key={index}
            type="button"
            className="link"
            onClick={() => props.onGo(parts.slice(0, index).join('/'))}
          >
            {name}
          </button>
        ),
      )}
    </nav>
  );
}

function Disks(props: {
  readonly moment: Moment;
  readonly list: FileList | null;
  readonly inside: Inside;
  readonly onChange: (inside: Inside) => void;
}) {
  const { text, language } = useSpeech();
  const { moment, list, inside, onChange } = props;
  const volumes = list?.volumes ?? [];
  return (
    <>
      {moment.points.length < 2 ? null : (
        <Field label={text.files.disk}>
          {control => (
            <select
              {...control}
              className="select"
              value={inside.diskId ?? moment.points[0]?.diskId}
              onChange={event => onChange({ diskId: event.target.value as DiskId, volume: null, folder: '' })}
            >
              {moment.points.map(({ diskId, virtualBytes }, index) => (
                <option key={diskId} value={diskId}>
                  {text.compare.disk(index + 1, formatBytes(virtualBytes, language))}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {volumes.length < 2 ? null : (
        <Field label={text.files.part}>
          {control => (
            <select
              {...control}
              className="select"
              value={list?.volume ?? 0}
              onChange={event => onChange({ ...inside, volume: Number(event.target.value), folder: '' })}
            >
              {volumes.map(({ index, name, fileSystem, bytes }) => (
                <option key={index} value={index}>
                  {[`${index + 1}`, name, fileSystem, formatBytes(bytes, language)]
                    .filter(Boolean)
                    .join(' · ')}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </>
  );
}

export function FilesDialog(props: {
  readonly vm: VmSummary;
  readonly moment: Moment;
  readonly onClose: () => void;
}) {
  const { text } = useSpeech();
  const { vm, moment, onClose } = props;
  const words = text.files;
  const [inside, setInside] = useState<Inside>({ diskId: null, volume: null, folder: '' });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [writing, setWriting] = useState<Writing | null>(null);
  const [list, setList] = useState<FileList | null>(null);
  const place = { vmId: vm.spec.id, momentId: moment.id };
  const folder = { ...place, ...inside };
  const found = useAnswer(JSON.stringify(folder), () => call('moment.files', folder));
  // The last list stays, for the select, while another folder is being read.
  if (found.kind === 'known' && found.value !== list) setList(found.value);
  const move = (next: Inside): void => {
    if (next.diskId !== inside.diskId || next.volume !== inside.volume) setChosen(new Set());
    setInside(next);
  };
  const choose = (path: string): void => {
    const next = new Set(chosen);
    if (!next.delete(path)) next.add(path);
    setChosen(next);
  };
  const restore = async (): Promise<void> => {
    const { diskId, volume } = inside;
    const wanted = { ...place, diskId, volume, paths: [...chosen] };
    const begun = await attempt(words.verbDone, () => call('moment.copy-files', wanted));
    if (begun !== null) setWriting({ taskId: begun.taskId, path: begun.folder });
  };
  return (
    <Dialog
      title={words.title(pointName(moment, text))}
      size="medium"
      onClose={onClose}
      keepOpen={chosen.size > 0 && writing === null}
      actions={
        writing === null ? (
          <>
            <Button onPress={onClose}>{text.app.cancel}</Button>
            <Button needs="moment.copy-files" look="go" onPress={restore} isDisabled={chosen.size === 0}>
              {words.restore(chosen.size)}
            </Button>
          </>
        ) : (
          <Button look="go" onPress={onClose}>
            {text.app.close}
          </Button>
        )
      }
    >
      {writing === null ? (
        <>
          <p className="soft">{words.help}</p>
          <Disks moment={moment} list={list} inside={inside} onChange={move} />
          <Way folder={inside.folder} onGo={folder => move({ ...inside, folder })} />
          <FileListing
            found={found}
            folder={inside.folder}
            chosen={chosen}
            onOpen={folder => move({ ...inside, folder })}
            onChoose={choose}
          />
        </>
      ) : (
        <FileProgress writing={writing} />
      )}
    </Dialog>
  );
}
