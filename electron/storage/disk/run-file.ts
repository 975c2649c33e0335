// T11: a storage death is not a power cut. New bits are noted here by plain write before the guest's write is
// acknowledged; the page cache outlives the process, so another process of the same boot replays them. Two
// files take turns: a flush closes one, makes durable what it notes, and clears it. Never synced; another
// boot ignores them.
import { Fault } from '../../../shared/result.ts';
import type { BlockFile, Folder } from '../../platform/ports.ts';
import { viewOf } from '../vhd/fields.ts';

const HEADER_BYTES = 128;
const RECORD_BYTES = 16;
const MAGIC = 0x45424252;
/** Records read at a time: the run file of a leaf that was not flushed for long may be large. */
const REPLAY_RECORDS = 4096;

export interface RunRecord {
  readonly block: number;
  readonly entry: number;
  readonly firstUnit: number;
  readonly units: number;
}

/** A checksum against torn and foreign records; every field takes part. */
const seal = (record: RunRecord): number =>
  (MAGIC ^
    Math.imul(record.block, 31) ^
    Math.imul(record.entry, 17) ^
    (record.firstUnit << 16) ^
    record.units) >>>
  0;

export const runFileNames = (leafUuid: string): readonly [string, string] => [
  `${leafUuid}.run-a`,
  `${leafUuid}.run-b`,
];

export const isRunFileName = (name: string): boolean => /^[0-9a-f-]{36}\.run-[ab]$/.test(name);

export class RunFile {
  readonly #files: readonly [BlockFile, BlockFile];
  readonly #lengths: [number, number] = [HEADER_BYTES, HEADER_BYTES];
  /** Headers for which there was no room at opening: written before the first record. */
  readonly #headers: [Uint8Array | null, Uint8Array | null] = [null, null];
  #current: 0 | 1 = 0;
  readonly #record = new Uint8Array(RECORD_BYTES);

  private constructor(files: readonly [BlockFile, BlockFile]) {
    this.#files = files;
  }

  /** Opens both files, calls `replay` for every record of this boot, and starts empty ones otherwise. */
  static open(
    folder: Folder,
    leafUuid: string,
    bootId: string,
    replay: (record: RunRecord) => void,
  ): RunFile {
    const header = new Uint8Array(HEADER_BYTES);
    header.set(Buffer.from(`EBBRUN 1 ${leafUuid} ${bootId}`.slice(0, HEADER_BYTES)));
    const [a, b] = runFileNames(leafUuid).map(name =>
      folder.open(name, folder.exists(name) ? 'existing' : 'create'),
    );
    const run = new RunFile([a as BlockFile, b as BlockFile]);
    for (const index of [0, 1] as const) run.#adopt(index, header, replay);
    return run;
  }

  #adopt(index: 0 | 1, header: Uint8Array, replay: (record: RunRecord) => void): void {
    const file = this.#files[index];
    const found = new Uint8Array(HEADER_BYTES);
    file.read(found, 0);
    if (Buffer.compare(found, header) !== 0) {
      file.truncate(0);
      this.#headers[index] = header;
      try {
        this.#begin(index);
      } catch (cause) {
        // T14: a full host keeps nobody from opening a disk, which may be the way to make room.
        if (!(cause instanceof Fault && cause.body.code === 'disk.full')) throw cause;
      }
      return;
    }
    const chunk = new Uint8Array(RECORD_BYTES * REPLAY_RECORDS);
    const size = file.sizeBytes();
    for (let at = HEADER_BYTES; at + RECORD_BYTES <= size; at += chunk.length) {
      file.read(chunk, at);
      const view = viewOf(chunk);
      for (
        let offset = 0;
        offset < chunk.length && at + offset + RECORD_BYTES <= size;
        offset += RECORD_BYTES
      ) {
        const record = {
          block: view.getUint32(offset),
          entry: view.getUint32(offset + 4),
          firstUnit: view.getUint16(offset + 8),
          units: view.getUint16(offset + 10),
        };
        // The last record may be half there: its write was never acknowledged.
        if (view.getUint32(offset + 12) !== seal(record)) return this.#setLength(index, at + offset);
        replay(record);
        this.#setLength(index, at + offset + RECORD_BYTES);
      }
    }
  }

  #setLength(index: 0 | 1, length: number): void {
    this.#lengths[index] = length;
  }

  #begin(index: 0 | 1): void {
    const header = this.#headers[index];
    if (header !== null) this.#files[index].write(header, 0);
    this.#headers[index] = null;
  }

  append(record: RunRecord): void {
    this.#begin(this.#current);
    const view = viewOf(this.#record);
    view.setUint32(0, record.block);
    view.setUint32(4, record.entry);
    view.setUint16(8, record.firstUnit);
    view.setUint16(10, record.units);
    view.setUint32(12, seal(record));
    this.#files[this.#current].write(this.#record, this.#lengths[this.#current]);
    this.#lengths[this.#current] += RECORD_BYTES;
  }

  /** A flush begins: later records go to the other file. Answers the file that is closed. */
  turn(): 0 | 1 {
    const closed = this.#current;
    this.#current = closed === 0 ? 1 : 0;
    return closed;
  }

  /** The flush that closed this file is durable, so its records are not needed any more. */
  clear(index: 0 | 1): void {
    this.#files[index].truncate(this.#headers[index] === null ? HEADER_BYTES : 0);
    this.#lengths[index] = HEADER_BYTES;
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}
