import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultDataFolder, ebbPaths, makeFolders } from '../../../electron/platform/paths.ts';
import { Fault } from '../../../shared/result.ts';

describe('paths', () => {
  it('takes EBB_DATA, then XDG_DATA_HOME, then the home folder', () => {
    expect(defaultDataFolder({ EBB_DATA: '/a', XDG_DATA_HOME: '/b' })).toBe('/a');
    expect(defaultDataFolder({ EBB_DATA: '', XDG_DATA_HOME: '/b' })).toBe('/b/ebb');
    expect(defaultDataFolder({})).toMatch(/\/\.local\/share\/ebb$/);
  });

  it('keeps socket paths short however deep the data folder lies, and apart for two of them', () => {
    const deep = `/${'folder/'.repeat(30)}`;
    const [one, other] = [ebbPaths(deep), ebbPaths(`${deep}x`)];
    expect(one.runFolder.length).toBeLessThanOrEqual(50);
    expect(one.runFolder).not.toBe(other.runFolder);
    expect(ebbPaths('/data').controlSocket).toBe('/data/run/control.sock');
  });

  it('makes private folders and refuses a run folder that is open to others', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-paths-'));
    const paths = ebbPaths(join(folder, 'd'));
    makeFolders(paths);
    expect(statSync(paths.runFolder).mode & 0o777).toBe(0o700);
    chmodSync(paths.runFolder, 0o755);
    expect(() => makeFolders(paths)).toThrow(Fault);
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolders(ebbPaths(join(folder, 'file', 'd')))).toThrow(Fault);
    rmSync(folder, { recursive: true, force: true });
  });
});
