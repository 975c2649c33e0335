// A copy that shares blocks with the original until either is written (FICLONE): instant, yet independent.
import { constants, copyFileSync } from 'node:fs';
import { Fault } from '../../shared/result.ts';
import { hostFault } from './host-fault.ts';

const CANNOT = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY']);

/**
 * Copies what the page cache holds now. Faults: host.unsupported (the filesystem cannot, or the files are on
 * two), disk.full, disk.io.
 */
export function reflink(from: string, to: string): void {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (!CANNOT.has(code)) throw hostFault('sharing the blocks of', from, cause);
    throw new Fault(
      {
        code: 'host.unsupported',
        what: `The file system that holds the disks cannot share blocks between files (${code}); XFS and Btrfs can.`,
        safe: 'Nothing was created; the VM it would be made from is as it was.',
        todo: "Clone it in full instead, without --linked; or move Ebb's data to an XFS or Btrfs file system.",
      },
      cause,
    );
  }
}
