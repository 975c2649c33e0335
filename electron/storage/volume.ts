// What the NBD session needs of a disk. Data calls are synchronous page-cache work in the VM's worker:
// nothing else runs between looking a map up and the read it decides (T3), so there are no locks. Only flush
// and late reads wait.
export interface VolumeExtent {
  readonly length: number;
  readonly state: 'data' | 'zero';
}

/** In bytes, multiples of 512, within `sizeBytes`. Faults: disk.io, disk.full, disk.poisoned. */
export interface Volume {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** Fills `target` whole. */
  read(target: Uint8Array, offsetBytes: number): void;
  /** As `read`, while others are served: gives what is there now, or is written there meanwhile. Optional. */
  readLater?(target: Uint8Array, offsetBytes: number): Promise<void>;
  /** Takes `source` before returning. T10, T11: readers see the write at once; it is durable at flush. */
  write(source: Uint8Array, offsetBytes: number): void;
  /** The range reads as zeros afterwards. `mayPunch`: its space may go back to the host. */
  zero(offsetBytes: number, lengthBytes: number, mayPunch: boolean): void;
  /** A hint: each unit of the range reads as zeros afterwards, or as before. */
  trim(offsetBytes: number, lengthBytes: number): void;
  /** Resolves when everything written before the call is durable (T10). */
  flush(): Promise<void>;
  /** At most `limit` extents from the offset on, covering no more than `lengthBytes`. */
  extents(offsetBytes: number, lengthBytes: number, limit: number): VolumeExtent[];
}
