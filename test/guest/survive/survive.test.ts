import { expect, it } from 'vitest';
import { Seeded } from '../../support/seeded.ts';
import { CELLS, chosen, runCells, voids } from './suite.ts';
import { PARTS, STATES } from './table.ts';

const SEED = 20261130;
const CHOSEN = 6;

it('every part × state has its expected state, or why there is nothing to kill', () => {
  expect(CELLS).toHaveLength(PARTS.length * STATES.length - voids().length);
  expect(voids()).toEqual([
    'QEMU/idle: nothing to kill: a VM that is off has no QEMU',
    'QEMU/delete: nothing to kill: a VM that may be deleted has no QEMU',
  ]);
});

it(`M9, T3, T10, T11: ${CHOSEN} of them, killed: the VM is found as the table says, and nothing is lost`, async () => {
  const cells = chosen(new Seeded(SEED), CHOSEN);
  const rows = await runCells(cells, SEED, line => console.info(line));
  expect(rows.map(({ part, state, wrong }) => ({ part, state, wrong }))).toEqual(
    cells.map(cell => ({ ...cell, wrong: '' })),
  );
  // Guests under TCG on a loaded machine: conditions are waited for, this only ends a hang.
}, 900_000);
