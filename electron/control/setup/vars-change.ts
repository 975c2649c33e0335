// UEFI variables belong to the firmware that wrote them (L4): with other firmware they go. They cannot be taken back,
// so the VM's new setup is stored first. A note, written before, tells whoever finds it for which firmware they go: if
// the VM has that, the setup was stored, and they go; if not, it never was, and they stay.
import * as z from 'zod';
import { messageOf } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { type Firmware, firmwareSchema } from '../../../shared/vm-setup.ts';
import type { SmallFiles } from '../../platform/small-files.ts';

const noteSchema = z.object({ firmware: firmwareSchema });

export interface VarsChangePorts extends Pick<SmallFiles, 'readJson' | 'writeJson' | 'removeFile'> {
  readonly home: (vmId: VmSpec['id']) => string;
  readonly forgetVars: (vmId: VmSpec['id']) => void;
  readonly log: (line: string) => void;
}

export class VarsChange {
  readonly #ports: VarsChangePorts;

  constructor(ports: VarsChangePorts) {
    this.#ports = ports;
  }

  #note(vmId: VmSpec['id']): string {
    return `${this.#ports.home(vmId)}/firmware-change.json`;
  }

  begin(spec: Pick<VmSpec, 'id' | 'firmware'>, firmware: Firmware): void {
    this.finish(spec);
    this.#ports.writeJson(this.#note(spec.id), { firmware });
  }

  /** Before the VM starts. */
  finish({ id, firmware }: Pick<VmSpec, 'id' | 'firmware'>): void {
    const { readJson, removeFile, forgetVars } = this.#ports;
    const noted = noteSchema.safeParse(readJson(this.#note(id)));
    if (!noted.success) return;
    if (noted.data.firmware === firmware) forgetVars(id);
    removeFile(this.#note(id));
  }

  /** Where the VM's start does it again. */
  finishOrLater(spec: Pick<VmSpec, 'id' | 'firmware'>): void {
    try {
      this.finish(spec);
    } catch (cause) {
      this.#ports.log(`vm ${spec.id}: the variables of its last firmware are there yet: ${messageOf(cause)}`);
    }
  }
}
