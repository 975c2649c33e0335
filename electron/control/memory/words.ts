// The ledger's sentences (M7). Pure: figures in, words out.

/** As people read it: GB with one decimal, MB below one. */
export function gb(kib: number): string {
  const mib = kib / 1024;
  return mib < 1000 ? `${Math.round(mib)} MB` : `${(mib / 1024).toFixed(1)} GB`;
}

export interface Move {
  readonly vmName: string;
  readonly fromKib: number;
  readonly toKib: number;
}

const list = (moves: readonly Move[]): string =>
  moves.map(move => `${move.vmName} ${gb(move.fromKib)} → ${gb(move.toKib)}`).join(', ');

/** `cause` is a clause: "work started". */
export function planSentence(
  cause: string,
  moves: readonly Move[],
  compressionRatio: number,
  shortfallKib: number,
): string {
  const where =
    compressionRatio <= 0
      ? 'Everyone has its maximum.'
      : compressionRatio >= 1
        ? 'Everyone is at its minimum.'
        : `Everyone sits at ${Math.round((1 - compressionRatio) * 100)} % of its range.`;
  const missing = shortfallKib > 0 ? ` ${gb(shortfallKib)} are missing even so.` : '';
  const head = `${cause.charAt(0).toUpperCase()}${cause.slice(1)}`;
  return moves.length === 0 ? `${head}. Nothing had to move.` : `${head}: ${list(moves)}. ${where}${missing}`;
}

export const doneSentence = (moves: readonly Move[], seconds: number): string =>
  `Done in ${seconds.toFixed(1)} s: ${list(moves)}.`;

export const refusedSentence = (vmName: string, askedKib: number, actualKib: number): string =>
  `${vmName} did not move: asked for ${gb(askedKib)}, still at ${gb(actualKib)}. Nothing is lost; the others are planned around it. Its balloon driver may be busy or missing.`;

export const selfDeflatedSentence = (vmName: string, actualKib: number): string =>
  `${vmName} ran short and took memory back by itself, up to ${gb(actualKib)}. It is left alone for a while.`;
