// The contract's handlers of automatic history.
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Handlers } from '../../../shared/rpc/server.ts';
import type { HistoryDesk } from './desk.ts';

type Names = 'history.show' | 'history.set' | 'history.preview' | 'history.offer' | 'history.clean';

export const historyHandlers = (desk: HistoryDesk): Pick<Handlers<Contract>, Names> => ({
  'history.show': ({ vmId }) => desk.state(vmId),
  'history.set': ({ vmId, schedule }) => desk.set(vmId, schedule),
  'history.preview': ({ vmId, schedule }) => desk.preview(vmId, schedule),
  'history.offer': ({ vmId, alsoPersons }) => desk.offer(vmId, alsoPersons),
  'history.clean': ({ vmId, momentIds }) => desk.clean(vmId, momentIds),
});
