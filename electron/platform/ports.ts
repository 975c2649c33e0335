// The ports: what pure and engine code asks of the world. Real adapters live beside this file, simulated ones in
// test/sim. Only files in this folder may touch fs, net, processes, clocks, randomness and the host OS.

/** A file. Reads and writes are synchronous page-cache work, done only by the VM's worker; `sync` waits. */
export interface BlockFile {
  readonly name: string;
  /** Fills `target` whole; past the end reads zeros. Throws Fault disk.io. */
  read(target: Uint8Array, offsetBytes: number): void;
  /** As `read`, without blocking the thread. The range must not be changed until it resolves. */
  readLater(target: Uint8Array, offsetBytes: number): Promise<void>;
  /** Writes all of `source`, extending the file. Throws Fault disk.io or disk.full. */
  write(source: Uint8Array, offsetBytes: number): void;
  /** fdatasync. A rejection means nothing written since the last success may be trusted (T14). */
  sync(): Promise<void>;
  sizeBytes(): number;
  /** Bytes the filesystem really gave it (sparse files have fewer than their size). */
  allocatedBytes(): number;
  truncate(sizeBytes: number): void;
  /** Gives space back where the host can; resolves false where it cannot. Content reads as zeros only if true. */
  punch(offsetBytes: number, lengthBytes: number): Promise<boolean>;
  /**
   * Shares a 4 KiB-aligned range of a file of the same filesystem instead of copying it (T16). Readers see it
   * at once; it is durable after sync. Resolves false where the host cannot: the range may then hold
   * anything, and the caller must write it.
   */
  cloneFrom(source: BlockFile, sourceOffset: number, offset: number, length: number): Promise<boolean>;
  /**
   * Makes the host drop the pages of the file that it caches and counts as written, so that reads return what
   * the disk has (T14). Pages still to be written stay. Resolves false where the host cannot.
   */
  dropCache(): Promise<boolean>;
  close(): void;
}

/** One directory, flat. */
export interface Folder {
  readonly path: string;
  /** Opens for reading and writing; `create` fails if the name exists. */
  open(name: string, how: 'existing' | 'create' | 'read-only'): BlockFile;
  list(): string[];
  exists(name: string): boolean;
  /** Atomic, replaces the target. Durable after sync. */
  rename(from: string, to: string): void;
  /** Off the control path: may take seconds for a scattered file. */
  unlink(name: string): Promise<void>;
  sync(): Promise<void>;
  freeBytes(): number;
}

export interface Timer {
  cancel(): void;
}

/** Time. Logic takes `nowMs` as an argument where it can; shells ask a Clock. */
export interface Clock {
  /** Wall clock, ms since the epoch: for showing and storing. */
  wallMs(): number;
  /** Monotonic ms: for measuring and deadlines. */
  monotonicMs(): number;
  after(delayMs: number, run: () => void): Timer;
  every(periodMs: number, run: () => void): Timer;
}

export interface Random {
  uuid(): string;
  bytes(length: number): Uint8Array;
}
