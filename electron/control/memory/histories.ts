// What the live chart shows of the last minutes, for each VM, over its stops and starts. Bounded; lost with control.
import type { VmId } from '../../../shared/ids.ts';
import type { MemorySample } from '../../../shared/memory.ts';

const SAMPLES_MAX = 600;
const PERIOD_MS = 1_000;
/** VMs remembered, the longest silent forgotten first: more than there can be. */
const VMS_MAX = 256;

export class Histories {
  readonly #samples = new Map<VmId, MemorySample[]>();

  note(vmId: VmId, sample: MemorySample): void {
    const samples = this.#samples.get(vmId) ?? [];
    const last = samples.at(-1);
    if (last !== undefined && sample.at - last.at < PERIOD_MS && last.actualKib !== null) return;
    samples.push(sample);
    if (samples.length > SAMPLES_MAX) samples.shift();
    this.#samples.delete(vmId);
    this.#samples.set(vmId, samples);
    const oldest = this.#samples.keys().next().value;
    if (this.#samples.size > VMS_MAX && oldest !== undefined) this.#samples.delete(oldest);
  }

  /** A gap: from here on there is nothing to measure. */
  end(vmId: VmId, at: number): void {
    this.#samples.get(vmId)?.push({ at, targetKib: null, actualKib: null, usedKib: null });
  }

  since(vmId: VmId, sinceMs: number): MemorySample[] {
    return this.#samples.get(vmId)?.filter(sample => sample.at > sinceMs) ?? [];
  }
}
