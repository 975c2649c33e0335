// A folder for what one run makes once and all its test files use.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-run-'));
  process.env.EBB_TEST_RUN = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
