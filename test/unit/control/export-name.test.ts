import { describe, expect, it } from 'vitest';
import { exportFileName } from '../../../electron/control/export-point.ts';

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
