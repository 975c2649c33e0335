// T14: after a sync has failed the host's memory may hold what its disk does not, marked as written: it is never written
// again, and gone when memory is short. The disk is in doubt until nobody remembers otherwise: whoever opens it next has
// the host forget what it holds, so that a file is as a power cut would have left it; and a guest that lives on is not
// served, since what it wrote and flushes again would be acknowledged and not be there.
//
// The mark is a file without content, of this boot: it must outlive this process alone. Another boot remembers nothing. It is
// there from the start under another name, since a disk that cannot write may have no room for a name either.
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
  /** While no sync has failed, and from then on. */
  readonly #sound: string;
  readonly #mark: string;
  readonly #off: SwitchOffs;
  /** When it was opened, and since. */
  #isRaised: boolean;
  #hasFailed = false;

  constructor(folder: Folder, bootId: string, off: SwitchOffs) {
    this.#folder = folder;
    this.#sound = `synced-${bootId}`;
    this.#mark = `unsynced-${bootId}`;
    this.#off = off;
    this.#isRaised = folder.exists(this.#mark);
  }

  /** In this engine's life. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Why Now is served to nobody; null where it is not in doubt. */
  get why(): string | null {
    return this.#isRaised && this.#off.doubtGuest !== true ? IN_DOUBT : null;
  }

  /** A sync has failed. Where even that is not to be had it is tried again when all is closed. */
  raise(): void {
    if (this.#off.doubtMark === true) return;
    this.#hasFailed = true;
    try {
      if (this.#folder.exists(this.#sound)) this.#folder.rename(this.#sound, this.#mark);
      // The filesystem may be another than the one it was put on, or have lost it with the rest.
      else if (!this.#folder.exists(this.#mark)) this.#folder.open(this.#mark, 'create').close();
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
    }
  }

  /** Before anything of it is read. Fault disk.poisoned where the host cannot forget. */
  async begin(): Promise<void> {
    const names = this.#folder.list();
    const ours = this.#isRaised ? this.#mark : this.#sound;
    for (const name of names) if (MARK.test(name) && name !== ours) await this.#folder.unlink(name);
    if (!this.#folder.exists(ours)) this.#make(ours);
    if (this.#isRaised) await this.#forget(names);
  }

  /** Where the host is too full even for that, whoever has to raise it finds it full, too. */
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
    // T11: they tell of units whose data may be gone.
    for (const name of names.filter(isRunFileName)) await this.#folder.unlink(name);
  }

  end(): void {
    if (this.#folder.exists(this.#mark)) this.#folder.rename(this.#mark, this.#sound);
    this.#isRaised = false;
  }

  /** `isSound`: whatever failed meanwhile is there no more. */
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
