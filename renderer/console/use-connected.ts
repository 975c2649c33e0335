// Connects a console, and again when its QEMU, frame or connection changes, or when a person asks.
import { type RefObject, useEffect, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { currentClient, type EbbClient } from '../api/connection.ts';
import { useService } from '../ui/hooks.ts';
import type { ScreenState } from './Frame.tsx';

export interface Connected {
  readonly state: ScreenState;
  readonly error: ErrorBody | null;
  readonly reopen: () => void;
}

export interface Tell {
  /** The console is open; one that was lost meanwhile stays lost. */
  readonly open: () => void;
  /** The console was lost; null: it ended without an error. */
  readonly lost: (error: ErrorBody | null) => void;
}

/** `connect` returns the function that ends it. Renaming the VM does not connect anew. */
export function useConnected(
  vm: VmSummary,
  host: RefObject<HTMLDivElement | null>,
  connect: (client: EbbClient, element: HTMLDivElement, tell: Tell) => () => void,
): Connected {
  const [state, setState] = useState<ScreenState>('opening');
  const [error, setError] = useState<ErrorBody | null>(null);
  const [turn, setTurn] = useState(0);
  const connection = useService(found => found.connection);
  const { pid, phase } = vm.state;
  // A starting QEMU has nothing to connect to yet; after one has ended, its last picture stays.
  const isOn = pid !== null && phase !== 'starting';
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks for a new one, `pid` is another QEMU; `connect` is new with every drawing
  useEffect(() => {
    const client = currentClient();
    const element = host.current;
    if (!isOn || connection !== 'connected' || client === null || element === null) return;
    setState('opening');
    setError(null);
    return connect(client, element, {
      open: () => setState(before => (before === 'lost' ? before : 'open')),
      lost: body => {
        if (body !== null) setError(body);
        setState('lost');
      },
    });
  }, [vm.spec.id, isOn, pid, connection, turn, host]);
  return { state, error, reopen: () => setTurn(count => count + 1) };
}
