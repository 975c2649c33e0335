// What whoever signed in may do. The service has the last word; here what it would refuse is not offered. The strip at the top says
// why, and each control that is off points to it.
import { mayCall, type Role } from '../../shared/roles.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { MethodName } from '../../shared/rpc/table.ts';
import { useService } from '../ui/hooks.ts';

export type Needs = MethodName<Contract>;

/** Of the words that say why. */
export const ROLE_REASON_ID = 'role-reason';

export const useRole = (): Role => useService(state => state.info?.role ?? 'administer');

export function useMay(method: Needs | undefined): boolean {
  const role = useRole();
  return method === undefined || mayCall(role, method);
}
