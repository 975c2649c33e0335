// How much data is moved between two barriers (T2, T3). The more data lies before a barrier, the longer the
// guest's flush waits for it; and a barrier costs the same however little data lies before it.

export interface BatchLimits {
  readonly batchBytes: number;
  /** The largest batch of a disk nobody uses. */
  readonly idleBatchBytes: number;
}

/** To be asked before each batch. `served` counts requests: while it stands still, batches double. */
export function batchSizes({ batchBytes, idleBatchBytes }: BatchLimits, served: () => number): () => number {
  let [size, last] = [batchBytes / 2, served()];
  return () => {
    const isIdle = last === served();
    size = isIdle ? Math.min(idleBatchBytes, size * 2) : batchBytes;
    last = served();
    return size;
  };
}

/** Groups of about `nextBatchBytes()` bytes, at least one block each: one group lies between two barriers. */
export function* batches(
  blocks: readonly { readonly block: number; readonly bytes: number }[],
  nextBatchBytes: () => number,
): Generator<{ readonly blocks: number[]; readonly bytes: number }> {
  for (let next = 0; next < blocks.length; ) {
    const batch = { blocks: [] as number[], bytes: 0 };
    const batchBytes = nextBatchBytes();
    for (; next < blocks.length && (batch.blocks.length === 0 || batch.bytes < batchBytes); next++) {
      const { block = 0, bytes = 0 } = blocks[next] ?? {};
      batch.blocks.push(block);
      batch.bytes += bytes;
    }
    yield batch;
  }
}
