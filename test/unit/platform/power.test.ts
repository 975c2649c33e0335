import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readPower } from '../../../electron/platform/power.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** As the kernel lays it out: a folder per supply, a file per value. */
function kernel(supplies: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-power-'));
  folders.push(folder);
  for (const [name, files] of Object.entries(supplies)) {
    mkdirSync(join(folder, name));
    for (const [file, value] of Object.entries(files)) writeFileSync(join(folder, name, file), `${value}\n`);
  }
  return readPower(folder);
}

const BAT0 = { type: 'Battery', status: 'Discharging', capacity: '40' };
const MOUSE = { type: 'Battery', scope: 'Device', status: 'Discharging', capacity: '3' };

describe('what this computer runs on', () => {
  it('is its battery while that drains and nothing is plugged in', () => {
    expect(kernel({ AC: { type: 'Mains', online: '0' }, BAT0 })).toEqual({ isOnBattery: true, percent: 40 });
    expect(kernel({ AC: { type: 'Mains', online: '1' }, BAT0 })?.isOnBattery).toBe(false);
    expect(kernel({ usb: { type: 'USB', online: '1' }, BAT0 })?.isOnBattery).toBe(false);
    expect(kernel({ BAT0: { ...BAT0, status: 'Not charging' } })?.isOnBattery).toBe(false);
  });
  it('is all its batteries together', () => {
    expect(kernel({ BAT0, BAT1: { type: 'Battery', status: 'Unknown', capacity: '90' } })).toEqual({
      isOnBattery: true,
      percent: 65,
    });
  });
  it('is not known without a battery of its own, nor without the folder', () => {
    expect(kernel({ AC: { type: 'Mains', online: '1' }, mouse: MOUSE })).toBeNull();
    expect(readPower(join(folders[0] ?? '', 'none'))).toBeNull();
  });
  it('has no level where the battery says nothing that is one', () => {
    expect(kernel({ BAT0: { type: 'Battery', status: 'Discharging', capacity: 'full' } })).toEqual({
      isOnBattery: true,
      percent: null,
    });
  });
});
