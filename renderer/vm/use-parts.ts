// What of this computer machines can be made with, asked once by who shows it.
import type { HostParts } from '../../shared/vm-setup.ts';
import { call } from '../api/connection.ts';
import { useAnswer } from '../ui/use-answer.ts';

/** Null until it is known; what is not here is refused by the service in any case. */
export function useParts(): HostParts | null {
  const parts = useAnswer('host.parts', () => call('host.parts', {}));
  return parts.kind === 'known' ? parts.value : null;
}
