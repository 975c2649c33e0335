// The sample guest is put in place by suites that start at once.
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { putInPlace } from '../../../build/guest/place.ts';
import { repositoryRoot } from '../../../build/layers.ts';

const root = mkdtempSync(join(tmpdir(), 'ebb-place-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function made(name: string): string {
  const folder = join(root, `made-${name}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'vmlinuz'), name);
  writeFileSync(join(folder, 'kernel-version'), name);
  return folder;
}

it('by four at once, forty times each: every one ends well, and nothing is left beside it', async () => {
  const cache = join(root, 'cache');
  const place = join(repositoryRoot, 'build/guest/place.ts');
  const script = `
    const { putInPlace, setCurrent } = await import(${JSON.stringify(place)});
    for (let n = 0; n < 40; n++) {
      putInPlace(process.argv[1], ${JSON.stringify(cache)} + '/k' + n);
      setCurrent(${JSON.stringify(cache)}, 'k' + n);
    }`;
  const one = (name: string): Promise<unknown> =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, made(name)]);
  await Promise.all(['a', 'b', 'c', 'd'].map(one));
  const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
  expect(readdirSync(cache).sort()).toEqual(['current', ...keys].sort());
  expect(readlinkSync(join(cache, 'current'))).toBe('k39');
  for (const key of keys) {
    const whole = readFileSync(join(cache, key, 'kernel-version'), 'utf8');
    expect(readFileSync(join(cache, key, 'vmlinuz'), 'utf8')).toBe(whole);
  }
});

it('one that is half there is made anew; one that is whole stays', () => {
  const target = join(root, 'target');
  mkdirSync(target);
  writeFileSync(join(target, 'vmlinuz'), 'half');
  putInPlace(made('e'), target);
  putInPlace(made('f'), target);
  expect(readFileSync(join(target, 'vmlinuz'), 'utf8')).toBe('e');
});
