// Secrets go in at every place a support bundle is made of, and none comes out.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tar } from '../../../../electron/shells/cli/tar.ts';
import { redactor } from '../../../../shared/redact.ts';

const NAMES = ['Projekt Geheim', 'dev', 'Kündigung Q3', 'a.b*c', 'größe (2)'];
const redact = redactor({
  names: new Map(NAMES.map((name, index) => [name, `<vm-${index}>`])),
  user: 'ann',
  host: 'anns-laptop',
});
const HIDDEN: readonly (readonly [what: string, secret: string, pieces: readonly string[]])[] = [
  ['a VM', 'Projekt Geheim', ['Projekt', 'Geheim']],
  ['a VM in other case', 'PROJEKT geheim', ['PROJEKT', 'geheim']],
  ['a point', 'Kündigung Q3', ['Kündigung', 'Q3']],
  ['a name of signs', 'a.b*c', ['a.b*c']],
  ['the account', 'ann', ['ann']],
  ['the computer', 'anns-laptop', ['anns', 'laptop']],
  ['a path', '/home/ann/Documents/tax.pdf', ['home', 'Documents', 'tax']],
  ['a path with blanks', '/mnt/My Disk/Wills, mine/x.vhd', ['Disk', 'Wills', 'mine', 'vhd']],
  ['a path of Windows', 'C:\\Users\\Bob Smith\\x.vhdx', ['Users', 'Bob', 'Smith']],
  ['a share', '\\\\fileserver\\salaries\\x', ['fileserver', 'salaries']],
  ['a home', '~/thesis/final.vhd', ['thesis', 'final']],
  ['a sign-in link', 'http://127.0.0.1:4999/#token=q0Zx-99_aa', ['q0Zx', 'token']],
  ['a token', 'k3J9vQ0sT1uW5xY7zA2bC4dE6fG8hI0jKlMnOpQrStU', ['k3J9', 'OpQrStU']],
  ['a hash', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', ['9f86', '0a08']],
  ['a password', 'password=hunter2', ['hunter2']],
  ['a header', 'Authorization: Bearer abc.def', ['abc.def']],
  ['a cookie', 'cookie: ebb-session-1=short', ['short']],
  ['an address of a person', 'ann.müller@example.org', ['müller', 'example']],
  ['an address of a computer', '192.168.17.4', ['192.168']],
  ['an IPv6 address', 'fe80::1c2d:3e4f', ['fe80', '3e4f']],
  ['a card', '52:54:00:12:34:56', ['52:54', '34:56']],
  ['anything in quotes', '"Mother\u2019s VM"', ['Mother']],
];
const AROUND: readonly (readonly [string, string])[] = [
  ['', ''],
  ['opening ', ' failed (EACCES).'],
  ['disk.io: writing ', ': no space left'],
  ['task 1: begun again: Create ', ''],
  ['it was ', ', and then'],
];

describe('what says something of the person', () => {
  it.each(HIDDEN)('%s is taken out of any sentence', (_, secret, pieces) => {
    for (const [before, after] of AROUND) {
      const text = redact(`first line\n${before}${secret}${after}\nlast line`);
      expect(text).toMatch(/^first line\n[\s\S]*\nlast line$/);
      for (const piece of pieces) expect(text).not.toContain(piece);
    }
  });

  it('two in one line too', () => {
    const secrets = fc.constantFrom(
      ...HIDDEN.filter(([what]) => !what.includes('path') && !what.includes('home')),
    );
    fc.assert(
      fc.property(secrets, secrets, ([, one, of], [, other, off]) => {
        const text = redact(`copied ${one} and ${other} again`);
        for (const piece of [...of, ...off]) expect(text).not.toContain(piece);
      }),
      { numRuns: 400 },
    );
  });
});

it('keeps what a mistake is found by', () => {
  const kept = [
    'vm 6f9619ff-8b86-4d01-b42d-00cf4fc964ff: QEMU (pid 4711) does not end; its memory stays counted',
    '2026-11-29T15:18:13.000Z storage: not there yet',
    'memory: the plan took 12 ms; 512 MiB of 2048 MiB, r 0.25',
    'disk.full: 3.2 GiB are free, of which 1 GiB stays',
  ];
  for (const line of kept) expect(redact(line)).toBe(line);
  expect(redact('    at plan (file:///home/ann/ebb/electron/control/memory/plan.ts:12:5)')).toBe(
    '    at plan (<path>/electron/control/memory/plan.ts:12:5)',
  );
  expect(redact('disk.io: opening /home/ann/x y.vhd failed (EACCES).')).toBe(
    'disk.io: opening <path> failed (EACCES).',
  );
});

it('ends with lines made to keep it busy', () => {
  for (const line of [
    '/'.repeat(8000),
    '/a '.repeat(2600),
    'a@'.repeat(4000),
    '"'.repeat(8000),
    ':'.repeat(8000),
  ])
    expect(typeof redact(line)).toBe('string');
});

it('the archive is one that tar reads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-tar-'));
  try {
    const files = [0, 1, 511, 512, 513, 70_000].map(length => ({
      name: `x/${length}.txt`,
      bytes: Buffer.alloc(length, 'a'),
    }));
    writeFileSync(join(folder, 'x.tar'), tar(files, 1_700_000_000_000));
    execFileSync('tar', ['xf', 'x.tar'], { cwd: folder });
    for (const { name, bytes } of files) expect(readFileSync(join(folder, name))).toEqual(bytes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
