// Somebody who may write beside them swaps policy and audit files for links as fast as it can, while they are read and written: what
// a link leads to is never believed, and never written to.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openAppendFolder } from '../../../electron/platform/append-folder.ts';
import { ownUid, readPolicyPath } from '../../../electron/platform/policy-files.ts';
import { Fault } from '../../../shared/result.ts';
import { until } from '../../support/until.ts';

const GOOD = '{"said":"by IT"}';
const EVIL = '{"said":"by somebody else"}';
/** Renames a plain file and a link into one place, over and over; says when it has begun. */
const SWAPPER = `
const fs = require('node:fs');
const [place, target, text] = process.argv.slice(1);
let told = false;
for (;;) {
  try {
    fs.writeFileSync(place + '.a', text, { mode: 0o600 });
    fs.renameSync(place + '.a', place);
    fs.symlinkSync(target, place + '.b');
    fs.renameSync(place + '.b', place);
  } catch { fs.rmSync(place + '.b', { force: true }); }
  if (!told) { console.log('begun'); told = true; }
}`;

let folder: string;
let swapper: ChildProcess | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(homedir(), '.ebb-race-'));
});
afterEach(() => {
  swapper?.kill('SIGKILL');
  swapper = null;
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function swap(place: string, target: string, text: string): Promise<void> {
  const child = spawn(process.execPath, ['-e', SWAPPER, place, target, text]);
  swapper = child;
  let isBegun = false;
  child.stdout.on('data', () => {
    isBegun = true;
  });
  await until('it to begin', () => isBegun);
}

it('a policy file is what it says itself, or is refused as a link', async () => {
  const [place, target] = [join(folder, 'lab.json'), join(folder, 'elsewhere')];
  writeFileSync(target, EVIL, { mode: 0o600 });
  await swap(place, target, GOOD);
  const seen = { good: 0, link: 0 };
  for (let n = 0; n < 200_000 && Math.min(seen.good, seen.link) < 50; n++) {
    const { text, problem } = readPolicyPath(place, [ownUid()]);
    expect(text).not.toBe(EVIL);
    if (text === GOOD) seen.good++;
    if (problem === 'it is a link') seen.link++;
  }
  expect(Math.min(seen.good, seen.link)).toBe(50);
});

it('the audit is appended to its own file, or not at all', async () => {
  const audit = join(folder, 'audit');
  mkdirSync(audit, { mode: 0o700 });
  const target = join(folder, 'precious');
  writeFileSync(target, 'precious\n', { mode: 0o600 });
  await swap(join(audit, '000001.log'), target, '');
  const files = openAppendFolder(audit, 1024 * 1024);
  const seen = { written: 0, refused: 0 };
  for (let n = 0; n < 200_000 && Math.min(seen.written, seen.refused) < 20; n++)
    try {
      files.append('000001.log', 'a record\n');
      seen.written++;
    } catch (cause) {
      expect(cause).toBeInstanceOf(Fault);
      seen.refused++;
    }
  expect(Math.min(seen.written, seen.refused)).toBe(20);
  expect(readFileSync(target, 'utf8')).toBe('precious\n');
});
