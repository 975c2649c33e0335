// Lists one folder of a point: folders are entered, files chosen; what cannot be copied is only shown.
import { File, Folder, Link2Off } from 'lucide-react';
import { FILES_MAX, type FileEntry, type FileList } from '../../shared/point-files.ts';
import { useSpeech } from '../i18n/text.ts';
import { ErrorWords, Notice } from '../ui/Notice.tsx';
import type { Answer } from '../ui/use-answer.ts';
import { formatBytes, formatMoment } from '../view/format.ts';

function EntryRow(props: {
  readonly entry: FileEntry;
  readonly isChosen: boolean;
  readonly isFull: boolean;
  readonly onOpen: () => void;
  readonly onChoose: () => void;
}) {
  const { text, language } = useSpeech();
  const { name, kind, bytes, modifiedAt } = props.entry;
  const about = kind === 'file' ? formatBytes(bytes, language) : kind === 'other' ? text.files.notCopied : '';
  const Icon = kind === 'folder' ? Folder : kind === 'file' ? File : Link2Off;
  return (
    <li className="file-row">
      {kind === 'file' ? (
        <label>
          <input
            type="checkbox"
            checked={props.isChosen}
            disabled={props.isFull && !props.isChosen}
            onChange={props.onChoose}
          />
          <Icon size={16} aria-hidden />
          <bdi>{name}</bdi>
        </label>
      ) : kind === 'folder' ? (
        <button type="button" className="link" onClick={props.onOpen}>
          <Icon size={16} aria-hidden />
          <bdi>{name}</bdi>
        </button>
      ) : (
        <span className="soft file-other">
          <Icon size={16} aria-hidden />
          <bdi>{name}</bdi>
        </span>
      )}
      <span className="soft">{about}</span>
      <span className="soft file-when">{modifiedAt === null ? '' : formatMoment(modifiedAt, language)}</span>
    </li>
  );
}

export function FileListing(props: {
  readonly found: Answer<FileList>;
  readonly folder: string;
  readonly chosen: ReadonlySet<string>;
  readonly onOpen: (folder: string) => void;
  readonly onChoose: (path: string) => void;
}) {
  const { text } = useSpeech();
  const words = text.files;
  const { found, folder, chosen } = props;
  if (found.kind === 'asking')
    return (
      <p className="quiet" role="status">
        {words.asking}
      </p>
    );
  if (found.kind === 'failed')
    return (
      <Notice tone="bad" title={words.failed} live="polite">
        <ErrorWords body={found.error} />
      </Notice>
    );
  const { entries, isTruncated } = found.value;
  if (entries === null)
    return (
      <Notice tone="calm" title={words.unreadable} live="polite">
        {words.unreadableText}
      </Notice>
    );
  const pathOf = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
  return (
    <>
      <p className="soft" role="status">
        {isTruncated ? words.tooMany(entries.length) : words.count(entries.length)}
      </p>
      <ul className="file-list" aria-label={words.of(folder === '' ? words.root : folder)}>
        {entries.map(entry => (
          <EntryRow
            key={`${entry.kind} ${entry.name}`}
            entry={entry}
            isChosen={chosen.has(pathOf(entry.name))}
            isFull={chosen.size >= FILES_MAX}
            onOpen={() => props.onOpen(pathOf(entry.name))}
            onChoose={() => props.onChoose(pathOf(entry.name))}
          />
        ))}
      </ul>
    </>
  );
}
