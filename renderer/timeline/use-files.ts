// Asked while it is looked at: what is in a folder of a point.
import { useEffect, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { DiskId, MomentId, VmId } from '../../shared/ids.ts';
import type { FileList } from '../../shared/point-files.ts';
import { errorBodyOf } from '../api/commands.ts';
import { call } from '../api/connection.ts';

export interface Place {
  readonly vmId: VmId;
  readonly momentId: MomentId;
  readonly diskId: DiskId | null;
  readonly volume: number | null;
  readonly folder: string;
}
export type Files =
  | { readonly kind: 'asking' }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  | { readonly kind: 'known'; readonly list: FileList };

const ASKING: Files = { kind: 'asking' };

export function useFiles({ vmId, momentId, diskId, volume, folder }: Place): Files {
  const [answer, setAnswer] = useState<{ readonly key: string; readonly found: Files } | null>(null);
  const key = JSON.stringify([vmId, momentId, diskId, volume, folder]);
  useEffect(() => {
    let isWanted = true;
    const put = (found: Files): void => {
      if (isWanted) setAnswer({ key, found });
    };
    call('moment.files', { vmId, momentId, diskId, volume, folder }).then(
      list => put({ kind: 'known', list }),
      (fault: unknown) => put({ kind: 'failed', error: errorBodyOf(fault) }),
    );
    return () => {
      isWanted = false;
    };
  }, [vmId, momentId, diskId, volume, folder, key]);
  // An answer about another folder is none.
  return answer?.key === key ? answer.found : ASKING;
}
