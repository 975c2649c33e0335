// Where the disks may differ between two moments. Null is Now.
import type { MomentId, VmId } from '../../shared/ids.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { MethodResult } from '../../shared/rpc/table.ts';
import { call } from '../api/connection.ts';
import { type Answer, useAnswer } from '../ui/use-answer.ts';

export type Difference = Answer<MethodResult<Contract, 'moment.compare'>>;

export const useDifference = (vmId: VmId, fromId: MomentId | null, toId: MomentId | null): Difference =>
  useAnswer(
    `${vmId} ${fromId} ${toId}`,
    fromId === toId ? null : () => call('moment.compare', { vmId, fromId, toId }),
  );
