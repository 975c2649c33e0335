// The records of the sample guest's writer (build/guest/agent.pl) as an image holds them.
const RECORD_BYTES = 4096;

export interface Writer {
  readonly offset: number;
  readonly slots: number;
}

/** How many are older than they may be where `acked` were acknowledged. */
export function recordsMissing(disk: Buffer, { offset, slots }: Writer, acked: number): number {
  let bad = 0;
  for (let slot = 0; slot < Math.min(slots, acked); slot++) {
    const last = acked - 1 - ((acked - 1 - slot) % slots);
    const at = offset + slot * RECORD_BYTES;
    const found = /^EBBW (\d+) /.exec(disk.toString('latin1', at, at + 32))?.[1];
    if (found === undefined || Number(found) < last) bad++;
  }
  return bad;
}
