// How much is moved between two barriers (T2, T3). A barrier keeps the guest's flush waiting, the longer the more lies before
// it; and it costs the same however little does.

export interface BatchLimits {
  readonly batchBytes: number;
  /** Of a disk nobody uses. */
  readonly idleBatchBytes: number;
}

/** Asked before each batch; `served` counts what was asked of the disk: the next is twice as large while that stands still. */
export function batchSizes({ batchBytes, idleBatchBytes }: BatchLimits, served: () => number): () => number {
  let [size, last] = [batchBytes / 2, served()];
  return () => {
    const isIdle = last === served();
    size = isIdle ? Math.min(idleBatchBytes, size * 2) : batchBytes;
    last = served();
    return size;
  };
}

/** In groups of about so many bytes, at least one block each: what lies between two barriers. */
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
