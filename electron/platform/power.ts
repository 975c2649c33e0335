// What this computer runs on, as far as it says: /sys/class/power_supply on Linux. Elsewhere the desktop's window tells it.
import { readdirSync, readFileSync } from 'node:fs';

export interface PowerFigures {
  readonly isOnBattery: boolean;
  /** Of all its batteries together; null where they do not say. */
  readonly percent: number | null;
}

/** One folder of power_supply: what its files hold, without their line ends. */
export type Supply = Readonly<Record<'type' | 'scope' | 'online' | 'status' | 'capacity', string>>;

/** Pure. Null: no battery of its own is known of, so it says nothing. A mouse's is not its own. */
export function powerFigures(supplies: readonly Supply[]): PowerFigures | null {
  const batteries = supplies.filter(({ type, scope }) => type === 'Battery' && scope !== 'Device');
  if (batteries.length === 0) return null;
  const isPlugged = supplies.some(({ type, online }) => type !== 'Battery' && online === '1');
  const isDraining = batteries.some(({ status }) => status === 'Discharging');
  const levels = batteries.flatMap(({ capacity }) => (/^\d{1,3}$/.test(capacity) ? [Number(capacity)] : []));
  const sum = levels.reduce((total, level) => total + Math.min(100, level), 0);
  return {
    isOnBattery: isDraining && !isPlugged,
    percent: levels.length === 0 ? null : Math.round(sum / levels.length),
  };
}

function held(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}

export function readPower(folder = '/sys/class/power_supply'): PowerFigures | null {
  try {
    const supplyOf = (name: string): Supply => {
      const at = (file: string): string => held(`${folder}/${name}/${file}`);
      return {
        type: at('type'),
        scope: at('scope'),
        online: at('online'),
        status: at('status'),
        capacity: at('capacity'),
      };
    };
    return powerFigures(readdirSync(folder).map(supplyOf));
  } catch {
    // Not Linux, or a kernel without it.
    return null;
  }
}
