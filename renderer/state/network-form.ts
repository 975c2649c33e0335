// The rows of typed port forwards: reads them, and says in words what is wrong. Pure.
import { type PortForward, portForwardSchema } from '../../shared/vm-setup.ts';
import type { Dictionary } from '../i18n/en.ts';

export interface ForwardRow {
  readonly key: number;
  readonly protocol: PortForward['protocol'];
  readonly hostPort: string;
  readonly guestPort: string;
}

export const rowsOf = (forwards: readonly PortForward[]): ForwardRow[] =>
  forwards.map((forward, key) => ({
    key,
    protocol: forward.protocol,
    hostPort: String(forward.hostPort),
    guestPort: String(forward.guestPort),
  }));

const portOf = (text: string): number => (/^\d{1,5}$/.test(text.trim()) ? Number(text) : Number.NaN);

/** The forwards in the rows; and the first row that is invalid, with the reason. */
export function forwardsOf(
  rows: readonly ForwardRow[],
  text: Dictionary,
): {
  readonly forwards: PortForward[];
  readonly problem: { readonly key: number; readonly text: string } | null;
} {
  const words = text.setup.network;
  const forwards: PortForward[] = [];
  for (const { key, protocol, hostPort, guestPort } of rows) {
    const parsed = portForwardSchema.safeParse({
      protocol,
      hostPort: portOf(hostPort),
      guestPort: portOf(guestPort),
    });
    if (!parsed.success) return { forwards, problem: { key, text: words.portRule } };
    const isTwice = forwards.some(
      other => other.protocol === protocol && other.hostPort === parsed.data.hostPort,
    );
    if (isTwice) return { forwards, problem: { key, text: words.twice(hostPort.trim()) } };
    forwards.push(parsed.data);
  }
  return { forwards, problem: null };
}
