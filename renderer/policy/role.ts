// What this sign-in's role may do. The service has the last word; the window only does not offer what the
// service would refuse. The strip at the top says why, and each control that is off points to it.
import { mayCall, type Role } from '../../shared/roles.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { MethodName } from '../../shared/rpc/table.ts';
import { useService } from '../ui/hooks.ts';

export type Needs = MethodName<Contract>;

/** The id of the element that says why. */
export const ROLE_REASON_ID = 'role-reason';

export const useRole = (): Role => useService(state => state.info?.role ?? 'administer');

export function useMay(method: Needs | undefined): boolean {
  const role = useRole();
  return method === undefined || mayCall(role, method);
}
