// `npm run -s guest -- survive [--seed S] [--cells N] [--cell PART/STATE] [--json]`: SIGKILL of every part of Ebb in every
// state of a VM whose guest is real (table.ts). `runs` are cells in which a kill fell into the state; void ones are told, and
// are no runs.
import { rmSync } from 'node:fs';
import type { SimOutcome, SuiteOptions } from '../../support/report.ts';
import { setup } from '../../support/run-folder.ts';
import { Seeded } from '../../support/seeded.ts';
import { type CellName, type CellRow, runCell } from './run.ts';
import { isVoid, PARTS, STATES, TABLE } from './table.ts';
import { saveOne } from './world.ts';

const all: readonly CellName[] = PARTS.flatMap(part => STATES.map(state => ({ part, state })));
export const CELLS = all.filter(({ part, state }) => !isVoid(TABLE[part][state]));
const nameOf = ({ part, state }: CellName): string => `${part}/${state}`;

export const voids = (): string[] =>
  all.flatMap(cell => {
    const { part, state } = cell;
    const found = TABLE[part][state];
    return isVoid(found) ? [`${nameOf(cell)}: nothing to kill: ${found.nothing}`] : [];
  });

/** Other parts and other states each, as far as there are. */
export function chosen(random: Seeded, count: number): CellName[] {
  const left = [...CELLS];
  const picked: CellName[] = [];
  while (picked.length < count && left.length > 0) {
    const unlike = (most: number): CellName[] =>
      left.filter(
        cell =>
          picked.filter(({ part }) => part === cell.part).length <= most &&
          picked.filter(({ state }) => state === cell.state).length <= most,
      );
    const fresh = [0, 1, 2, left.length].map(unlike).find(cells => cells.length > 0) ?? left;
    const cell = random.pick(fresh);
    picked.push(cell);
    left.splice(left.indexOf(cell), 1);
  }
  return picked;
}

function wanted({ seed, options }: SuiteOptions): readonly CellName[] {
  if (options.cells !== undefined) return chosen(new Seeded(seed), Number(options.cells));
  if (options.cell === undefined) return CELLS;
  const found = CELLS.filter(cell => nameOf(cell).includes(options.cell ?? ''));
  if (found.length === 0)
    throw new Error(`no cell is ${options.cell}; there are ${CELLS.map(nameOf).join(' ')}`);
  return found;
}

/** A cell is the same whichever others are run. */
export const seedOf = (seed: number, cell: CellName): number =>
  seed + 7919 * all.findIndex(({ part, state }) => part === cell.part && state === cell.state);

export async function runCells(
  cells: readonly CellName[],
  seed: number,
  say: SuiteOptions['say'],
): Promise<CellRow[]> {
  const saved = await saveOne(new Seeded(seed));
  const rows: CellRow[] = [];
  try {
    for (const cell of cells) {
      const row = await runCell(saved, cell, seedOf(seed, cell));
      rows.push(row);
      const missed = row.missed === 0 ? '' : ` (${row.missed} tries ended before the kill)`;
      say(`survive: ${rows.length}/${cells.length} ${nameOf(cell)}: ${row.found}${missed} ${row.wrong}`);
    }
  } finally {
    rmSync(saved.folder, { recursive: true, force: true });
  }
  return rows;
}

export async function run(options: SuiteOptions): Promise<SimOutcome> {
  const end = setup();
  try {
    for (const line of voids()) options.say(`survive: void: ${line}`);
    const rows = await runCells(wanted(options), options.seed, options.say);
    const violations = rows
      .filter(({ wrong }) => wrong !== '')
      .map(row => `${nameOf(row)} seed ${options.seed}: ${row.wrong}`);
    const runs = rows.filter(({ found }) => found !== '').length;
    return { runs, violations, switchOffs: [], void: voids(), told: rows.map(row => ({ ...row })) };
  } finally {
    end();
  }
}
