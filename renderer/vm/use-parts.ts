// What of this computer machines can be made with, asked once by who shows it.
import { useEffect, useState } from 'react';
import type { HostParts } from '../../shared/vm-setup.ts';
import { call } from '../api/connection.ts';

/** Null until it is known; what is not here is refused by the service in any case. */
export function useParts(): HostParts | null {
  const [parts, setParts] = useState<HostParts | null>(null);
  useEffect(() => {
    let isHere = true;
    call('host.parts', {}).then(
      found => isHere && setParts(found),
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, []);
  return parts;
}
