// Asked while it is looked at: where the disks may differ between two moments. Null is Now.
import { useEffect, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { MethodResult } from '../../shared/rpc/table.ts';
import { errorBodyOf } from '../api/commands.ts';
import { call } from '../api/connection.ts';

export type Difference =
  | { readonly kind: 'asking' }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  | { readonly kind: 'known'; readonly disks: MethodResult<Contract, 'moment.compare'>['disks'] };

const ASKING: Difference = { kind: 'asking' };

export function useDifference(vmId: VmId, fromId: MomentId | null, toId: MomentId | null): Difference {
  const [answer, setAnswer] = useState<{ readonly key: string; readonly found: Difference } | null>(null);
  const key = `${fromId} ${toId}`;
  useEffect(() => {
    let isWanted = true;
    const put = (found: Difference): void => {
      if (isWanted) setAnswer({ key, found });
    };
    if (fromId !== toId)
      call('moment.compare', { vmId, fromId, toId }).then(
        ({ disks }) => put({ kind: 'known', disks }),
        (fault: unknown) => put({ kind: 'failed', error: errorBodyOf(fault) }),
      );
    return () => {
      isWanted = false;
    };
  }, [vmId, fromId, toId, key]);
  // An answer about two others is none.
  return answer?.key === key ? answer.found : ASKING;
}
