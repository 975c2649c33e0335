// Notes the files that are being written for people, each before its first byte. When control dies in the
// middle, the next control removes what is left, which would else take up room and its name for ever. Only
// the file's unfinished name is noted, which nobody had when it was chosen; a file gets the name people asked
// for once it is whole.
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

  /** Faults: disk.full, disk.io; then the file must not be written. */
  begin(file: string): void {
    this.#put([...this.#noted(), file]);
  }

  /** The file has its final name, or is gone. */
  end(file: string): void {
    try {
      this.#put(this.#noted().filter(other => other !== file));
    } catch (cause) {
      // A note that stays names a file that is not there, which does no harm. A full disk must not fail a
      // whole export.
      if (!(cause instanceof Fault)) throw cause;
    }
  }

  /**
   * Removes what a dead control left unfinished; answers the paths. Only as control begins. What cannot be
   * removed (its disk is pulled out, or read-only by now) stays noted for the next time.
   */
  sweep(): string[] {
    const found = this.#noted();
    const left = found.filter(file => !this.#isRemoved(file));
    if (left.length < found.length) {
      try {
        this.#put(left);
      } catch (cause) {
        // Removing what is gone already does no harm.
        if (!(cause instanceof Fault)) throw cause;
      }
    }
    return found.filter(file => !left.includes(file));
  }

  #isRemoved(file: string): boolean {
    try {
      this.#ports.remove(file);
      return true;
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      return false;
    }
  }

  #noted(): string[] {
    return notedSchema.safeParse(this.#ports.readJson(this.#ports.path)).data ?? [];
  }

  #put(files: readonly string[]): void {
    this.#ports.writeJson(this.#ports.path, files);
  }
}
