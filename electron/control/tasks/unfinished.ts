// Files that are being written for somebody, noted before their first byte: when control dies in the middle, the next one
// removes what is left, which would take room and its name for ever. Only the unfinished name is noted, which was nobody's
// when it was taken; the name asked for is given when the file is whole.
import * as z from 'zod';
import { Fault } from '../../../shared/result.ts';
import type { SmallFiles } from '../../platform/small-files.ts';

const notedSchema = z.array(z.string());

export interface UnfinishedPorts extends Pick<SmallFiles, 'readJson' | 'writeJson'> {
  readonly path: string;
  readonly remove: (path: string) => void;
}

export class Unfinished {
  readonly #ports: UnfinishedPorts;

  constructor(ports: UnfinishedPorts) {
    this.#ports = ports;
  }

  /** Faults: disk.full, disk.io; nothing may be written then. */
  begin(file: string): void {
    this.#put([...this.#noted(), file]);
  }

  /** It has its name, or is gone. */
  end(file: string): void {
    try {
      this.#put(this.#noted().filter(other => other !== file));
    } catch (cause) {
      // A note too many is of a file that is not there: a full disk must not make of it that the export failed.
      if (!(cause instanceof Fault)) throw cause;
    }
  }

  /** Those there were; for a control that has just begun. */
  sweep(): string[] {
    const found = this.#noted();
    for (const file of found) this.#ports.remove(file);
    if (found.length > 0) this.#put([]);
    return found;
  }

  #noted(): string[] {
    return notedSchema.safeParse(this.#ports.readJson(this.#ports.path)).data ?? [];
  }

  #put(files: readonly string[]): void {
    this.#ports.writeJson(this.#ports.path, files);
  }
}
