// VMs that are there tomorrow, and looks at how one was. Pure.
import type { VmSummary } from '../../shared/vm.ts';

export const isKept = ({ spec }: VmSummary): boolean => spec.peek === null;
