import { expect, it } from 'vitest';
import { Seeded } from '../../support/seeded.ts';
import { killHost } from './hosts.ts';
import { killStorage } from './suite.ts';

const SEED = 20261127;
const HOSTS = 5;
const STORAGE_KILLS = 5;

it(`T3, T10, T11: QEMU, storage and control killed together ${HOSTS} times: every acknowledged flush is there, every point as it was`, async () => {
  const random = new Seeded(SEED);
  let acknowledged = 0;
  for (let index = 1; index <= HOSTS; index++) {
    const { acked, wrong } = await killHost(random, index);
    expect(wrong).toBeNull();
    acknowledged += acked;
  }
  console.info(`host kills: seed ${SEED}, ${HOSTS} kills, ${acknowledged} records acknowledged before them`);
  expect(acknowledged).toBeGreaterThan(0);
  // Under TCG on a loaded machine: conditions are waited for, this only ends a hang.
}, 900_000);

it(`T3, T11: storage killed ${STORAGE_KILLS} times under one guest that writes: it goes on, nothing acknowledged is lost, every point as it was`, async () => {
  console.info(`storage kills: seed ${SEED}, ${STORAGE_KILLS} kills`);
  expect(await killStorage(new Seeded(SEED), STORAGE_KILLS, () => undefined)).toEqual([]);
}, 900_000);
