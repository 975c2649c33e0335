// The newest check of a VM's history: asked for at first, and again whenever a check begins or ends.
import { useEffect, useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import type { VerifyReport } from '../../shared/verify.ts';
import { call } from '../api/connection.ts';
import { useService } from '../ui/hooks.ts';

export interface LastCheck {
  /** Null: no check since the service started. Undefined: not known yet. */
  readonly report: VerifyReport | null | undefined;
  /** The check under way, whoever began it; null: none. */
  readonly running: Task | null;
}

export function useVerifyReport(vmId: VmId): LastCheck {
  const [report, setReport] = useState<VerifyReport | null | undefined>(undefined);
  const running = useService(
    state =>
      state.tasks.find(task => task.kind === 'vm.verify' && task.vmId === vmId && task.state === 'running') ??
      null,
  );
  const runningId = running?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a check that began or ended is why it is asked again
  useEffect(() => {
    let isWanted = true;
    call('vm.verify-report', { vmId }).then(
      answer => {
        if (isWanted) setReport(answer.report);
      },
      // A check can be made without knowing the last report.
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [vmId, runningId]);
  return { report, running };
}
