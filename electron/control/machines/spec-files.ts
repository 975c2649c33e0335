// Keeps `vm.json` in each VM's folder as the catalog's row is. The row is the truth: what cannot be written
// (the disk is full) refuses no change, and is written at the next one, or when control starts.
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../../shared/result.ts';
import { isKept, type VmSpec } from '../../../shared/vm.ts';
import type { Catalog } from '../store/catalog.ts';
import type { MachineFolders } from './machine-folders.ts';

export class SpecFiles {
  readonly #folders: Pick<MachineFolders, 'hasHome' | 'says' | 'putSpec'>;
  readonly #log: (line: string) => void;

  constructor(folders: Pick<MachineFolders, 'hasHome' | 'says' | 'putSpec'>, log: (line: string) => void) {
    this.#folders = folders;
    this.#log = log;
  }

  /** Does nothing where the folder says it already, or lies elsewhere. */
  note(spec: VmSpec): void {
    if (!isKept(spec) || !this.#folders.hasHome(spec.id)) return;
    try {
      if (!isDeepStrictEqual(this.#folders.says(spec.id).spec, spec)) this.#folders.putSpec(spec);
    } catch (cause) {
      this.#log(`vm ${spec.id}: its folder does not tell its settings yet: ${messageOf(cause)}`);
    }
  }

  /** The same catalog, which notes every spec that it takes. */
  noted(catalog: Catalog): Catalog {
    return {
      ...catalog,
      put: spec => {
        catalog.put(spec);
        this.note(spec);
      },
    };
  }
}
