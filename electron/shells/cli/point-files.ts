// `ebb point files` and `ebb point restore-files`: lists the files inside a point, and copies some out.
import type { FileEntry } from '../../../shared/point-files.ts';
import { bytesText } from '../../../shared/units.ts';
import { table, timeText } from './output.ts';
import { diskOf, thePoint } from './points.ts';
import type { OfVm, Run, Session } from './session.ts';
import type { POINT_ROWS } from './table/points.ts';

type Rows = typeof POINT_ROWS;
type Inside = OfVm &
  Session<{ readonly POINT: string; readonly disk?: string | undefined; readonly part?: number | undefined }>;

async function whereOf(session: Inside) {
  const { spec, moment } = await thePoint(session);
  const { disk, part } = session.given;
  const where = { vmId: spec.id, momentId: moment.id, diskId: diskOf(moment, disk), volume: part ?? null };
  return { where, moment };
}

const plain = (path: string): string => path.replace(/^\/+|\/+$/g, '');
const shown = ({ name, kind, bytes, modifiedAt }: FileEntry): string[] => [
  kind === 'folder' ? `${name}/` : name,
  kind === 'file' ? bytesText(bytes) : kind === 'folder' ? '' : 'not copied',
  modifiedAt === null ? '' : timeText(modifiedAt),
];

export const listFiles: Run<Rows['point files']> = async session => {
  const { where, moment } = await whereOf(session);
  const folder = plain(session.given.FOLDER);
  const list = await session.client.call('moment.files', { ...where, folder });
  const { volumes, volume, entries, isTruncated } = list;
  const rows = volumes.map(({ index, name, fileSystem, bytes }) => [
    `${index}${index === volume ? ' (shown)' : ''}`,
    name,
    fileSystem,
    bytesText(bytes),
  ]);
  const parts = volumes.length < 2 ? '' : `${table(['PART', 'NAME', 'KIND', 'SIZE'], rows)}\n\n`;
  const text =
    entries === null
      ? `No file system that 7-Zip reads was found there. Look at "${moment.name}" with \`ebb point peek\`.`
      : entries.length === 0
        ? 'Nothing is in that folder.'
        : table(['NAME', 'SIZE', 'CHANGED'], entries.map(shown));
  return {
    text: `${parts}${text}${isTruncated ? '\nThere is more: only the first are shown.' : ''}`,
    json: list,
  };
};

export const restoreFiles: Run<Rows['point restore-files']> = async session => {
  const { where } = await whereOf(session);
  const { FILE, to } = session.given;
  const { taskId, folder } = await session.client.call('moment.copy-files', {
    ...where,
    paths: FILE.map(plain),
    folder: to === undefined ? null : session.absolute(to),
  });
  await session.wait(taskId, { folder });
  return { text: `Copied into ${folder}.`, json: { folder } };
};
