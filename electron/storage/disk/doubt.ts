// T14: after a failed sync the host's memory may hold data that its disk does not, marked as written: the
// host never writes it again, and drops it when memory is short. So the disk is in doubt. Whoever opens it
// next has the host forget what it holds, so that each file is as a power cut would have left it. A guest
// that lives on is not served: what it wrote and flushes again would be acknowledged and not be there.
//
// The mark is an empty file named after this boot, since the doubt must outlive this process but not the
// boot. The file is there from the start under another name: a disk that cannot write may have no room for a
// new name either.
import { Fault } from '../../../shared/result.ts';
import type { Folder } from '../../platform/ports.ts';
import { putAway } from './disk-files.ts';
import { poisoned } from './image-head.ts';
import { isRunFileName } from './run-file.ts';
import type { SwitchOffs } from './switch-offs.ts';

const MARK = /^(?:un)?synced-/;
const IMAGE = /\.vhd(?:\.new|\.part)?$/;

export const IN_DOUBT = 'A sync failed, and what the machine wrote since its last flush may be missing';

export class Doubt {
  readonly #folder: Folder;
  /** The mark's name while no sync has failed; below, its name from then on. */
  readonly #sound: string;
  readonly #mark: string;
  readonly #off: SwitchOffs;
  /** The mark was found when the disk was opened, and nobody has ended the doubt since. */
  #isRaised: boolean;
  #hasFailed = false;

  constructor(folder: Folder, bootId: string, off: SwitchOffs) {
    this.#folder = folder;
    this.#sound = `synced-${bootId}`;
    this.#mark = `unsynced-${bootId}`;
    this.#off = off;
    this.#isRaised = folder.exists(this.#mark);
  }

  /** A sync has failed since this engine opened the disk. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Why Now is served to nobody; null where it is not in doubt. */
  get why(): string | null {
    return this.#isRaised && this.#off.doubtGuest !== true ? IN_DOUBT : null;
  }

  /** A sync has failed. Where the mark cannot be set now, closing the disk tries again. */
  raise(): void {
    if (this.#off.doubtMark === true) return;
    this.#hasFailed = true;
    try {
      if (this.#folder.exists(this.#sound)) this.#folder.rename(this.#sound, this.#mark);
      // The folder may be on another filesystem than at opening, or the file may be lost with the rest.
      else if (!this.#folder.exists(this.#mark)) this.#folder.open(this.#mark, 'create').close();
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
    }
  }

  /** Before anything of the disk is read. Fault disk.poisoned where the host cannot forget. */
  async begin(): Promise<void> {
    const names = this.#folder.list();
    const ours = this.#isRaised ? this.#mark : this.#sound;
    for (const name of names) if (MARK.test(name) && name !== ours) await this.#folder.unlink(name);
    if (!this.#folder.exists(ours)) this.#make(ours);
    if (this.#isRaised) await this.#forget(names);
  }

  /**
   * A host too full for an empty file does not keep the disk closed. `raise` will find the host full, too.
   */
  #make(name: string): void {
    try {
      this.#folder.open(name, 'create').close();
    } catch (cause) {
      if (!(cause instanceof Fault && cause.body.code === 'disk.full')) throw cause;
    }
  }

  async #forget(names: readonly string[]): Promise<void> {
    for (const name of this.#off.doubtCache === true ? [] : names.filter(file => IMAGE.test(file))) {
      if (!this.#folder.exists(name)) continue;
      const file = this.#folder.open(name, 'existing');
      try {
        if (!(await file.dropCache())) throw rebootFirst(name);
      } finally {
        file.close();
      }
    }
    // T11: run files name units whose data may be gone.
    for (const name of names.filter(isRunFileName)) await this.#folder.unlink(name);
  }

  end(): void {
    if (this.#folder.exists(this.#mark)) this.#folder.rename(this.#mark, this.#sound);
    this.#isRaised = false;
  }

  /** `isSound`: no file is left whose sync has failed. */
  async close(isSound: boolean): Promise<void> {
    if (this.#isRaised) return;
    if (this.#hasFailed && !isSound) return this.raise();
    await putAway(this.#folder, [this.#sound, this.#mark]);
  }
}

const rebootFirst = (name: string): Fault => {
  const { body } = poisoned(`A sync failed, and this host cannot be told to forget what it holds of ${name}`);
  return new Fault({ ...body, todo: 'Check the host disk, restart this computer, then open the VM again.' });
};
