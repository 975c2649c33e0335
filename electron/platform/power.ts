// Whether this computer runs on battery, and how full that is: from /sys/class/power_supply on Linux. On
// other systems the desktop shell tells control.
import { readdirSync, readFileSync } from 'node:fs';

export interface PowerFigures {
  readonly isOnBattery: boolean;
  /** Charge of all batteries together; null: they do not say. */
  readonly percent: number | null;
}

/** One folder of power_supply: what its files hold, without their line ends. */
export type Supply = Readonly<Record<'type' | 'scope' | 'online' | 'status' | 'capacity', string>>;

/** Pure. Null: no battery of the computer itself is known. A mouse's battery does not count. */
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
