// `ebb vm screenshot`: what a screen shows now, or showed at a point, as a PNG.
import { bytesText } from '../../../shared/units.ts';
import { writeNewFile } from '../../platform/vm-files.ts';
import { NotFoundError, pickMoment } from './pick.ts';
import { type Run, theTimeline } from './session.ts';
import type { VM_ROWS } from './table/vms.ts';

export const screenshotVm: Run<(typeof VM_ROWS)['vm screenshot']> = async session => {
  const { spec, timeline } = await theTimeline(session);
  const { FILE, point } = session.given;
  const vmId = spec.id;
  const { client } = session;
  const moment = point === undefined ? null : pickMoment(timeline.moments, point);
  const { png } =
    moment === null
      ? await client.call('vm.screen', { vmId })
      : await client.call('moment.screen', { vmId, momentId: moment.id });
  if (png === null)
    throw noPicture(
      moment === null ? `"${spec.name}" shows nothing now` : `No picture was kept of "${moment.name}"`,
    );
  const path = session.absolute(FILE);
  const bytes = Buffer.from(png, 'base64');
  writeNewFile(path, bytes);
  return { text: `Wrote ${path}: ${bytesText(bytes.length)}.`, json: { path, bytes: bytes.length } };
};

const noPicture = (what: string): NotFoundError =>
  new NotFoundError(
    'moment.not-found',
    `${what}.`,
    'Pictures are of VMs that run, and of points taken while they ran.',
  );
