// M2 over a run of published figures: what is promised never exceeds the budget by our doing. What QEMU itself needs is
// measured: more of it than before is no promise of ours. The next plan counts it, and until balloons have made up for it
// nothing else may be over.
import type { VmId } from '../../shared/ids.ts';
import type { HostMemory } from '../../shared/memory.ts';

export class PromiseSums {
  readonly #overheads = new Map<VmId, number>();
  #owedKib = 0;
  /** Of one VM, at any time. */
  mostOverheadKib = 0;

  /** What is over, else null. */
  add({ vms, committedKib, leasedKib, budgetKib }: HostMemory): string | null {
    for (const { vmId, overheadKib } of vms) {
      this.#owedKib += overheadKib - (this.#overheads.get(vmId) ?? overheadKib);
      this.#overheads.set(vmId, overheadKib);
      this.mostOverheadKib = Math.max(this.mostOverheadKib, overheadKib);
    }
    for (const vmId of this.#overheads.keys())
      if (!vms.some(vm => vm.vmId === vmId)) this.#overheads.delete(vmId);
    const promisedKib = committedKib + leasedKib;
    if (promisedKib <= budgetKib) this.#owedKib = 0;
    if (promisedKib - this.#owedKib <= budgetKib) return null;
    return `${promisedKib} - ${this.#owedKib} of ${budgetKib}`;
  }
}
