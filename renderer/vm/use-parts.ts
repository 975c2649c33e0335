// The optional parts this computer has for VMs (firmware, TPM …), asked for by the component that shows them.
import type { HostParts } from '../../shared/vm-setup.ts';
import { call } from '../api/connection.ts';
import { useAnswer } from '../ui/use-answer.ts';

/** Null until it is known; the service refuses a missing part in any case. */
export function useParts(): HostParts | null {
  const parts = useAnswer('host.parts', () => call('host.parts', {}));
  return parts.kind === 'known' ? parts.value : null;
}
