import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkTarget, exportFileName, pathOf } from '../../../../electron/control/points/export-point.ts';
import { realFolder } from '../../../../electron/platform/policy-files.ts';
import { isNameTaken } from '../../../../electron/platform/vm-files.ts';

describe("an export's file name", () => {
  it('holds nothing a file system would refuse or take for a path', () => {
    expect(exportFileName('dev before: a/b\\c\u0000 2026-11-24', 'qcow2')).toBe(
      'dev before- a-b-c- 2026-11-24.qcow2',
    );
    expect(exportFileName('../../etc/passwd', 'raw')).toBe('-..-etc-passwd.img');
    expect(exportFileName(' . ', 'vhd-fixed')).toBe('point.vhd');
  });

  it('is short enough in bytes, its characters whole', () => {
    const name = exportFileName('更新之前'.repeat(60), 'vhdx');
    expect(Buffer.byteLength(`${name}.part`)).toBeLessThan(255);
    expect(name).toMatch(/^[更新之前]+\.vhdx$/);
  });
});

describe('the place of an export', () => {
  const ports = { exists: isNameTaken, real: realFolder };
  const named = (path: string) => pathOf({ path }, ports, () => false);
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'ebb-names-')));
    mkdirSync(join(folder, 'out'));
    symlinkSync('out', join(folder, 'link'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has one name, by whatever it is called', () => {
    const one = join(folder, 'out', 'x.img');
    for (const other of ['out/x.img', 'out/./x.img', 'link/x.img', 'out/../link/x.img', 'link//x.img'])
      expect(named(`${folder}/${other}`)).toBe(one);
    expect(named(`${folder}/none/../out/x.img`)).toBe(one);
    // Also where Ebb names it.
    const own = { folder: join(folder, 'link'), fileName: 'x.img' };
    expect(pathOf({ path: own }, ports, path => path === one)).toBe(join(folder, 'out', 'x 2.img'));
  });

  it('is taken by a link to nothing, too: what is written there would be elsewhere', () => {
    const one = join(folder, 'out', 'x.img');
    expect(checkTarget(one, ports)).toBe(`${one}.part`);
    symlinkSync(join(folder, 'elsewhere.img'), `${one}.part`);
    expect(() => checkTarget(one, ports)).toThrow('file.unreadable');
    expect(pathOf({ path: { folder: join(folder, 'out'), fileName: 'x.img' } }, ports, () => false)).toBe(
      join(folder, 'out', 'x 2.img'),
    );
    writeFileSync(join(folder, 'out', 'x 2.img'), '');
    expect(() => checkTarget(join(folder, 'out', 'x 2.img'), ports)).toThrow('file.unreadable');
  });
});
