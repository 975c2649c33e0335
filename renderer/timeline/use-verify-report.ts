// The newest check of a VM's history: asked when it is looked at, and again whenever one ends.
import { useEffect, useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import type { Task } from '../../shared/task.ts';
import type { VerifyReport } from '../../shared/verify.ts';
import { call } from '../api/connection.ts';
import { useService } from '../ui/hooks.ts';

export interface LastCheck {
  /** Null: none since the service started. Undefined: not known yet. */
  readonly report: VerifyReport | null | undefined;
  /** Whoever began it. */
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
      // Without it the check can be made all the same.
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [vmId, runningId]);
  return { report, running };
}
