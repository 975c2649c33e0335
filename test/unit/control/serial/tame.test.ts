// DESIGN §8: what a guest prints is hostile; a terminal is shown it, and is told nothing by it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tame } from '../../../../electron/control/serial/tame.ts';

const tame = (...pieces: string[]): string => {
  const one = new Tame();
  return pieces.map(piece => one.feed(piece)).join('');
};
const E = '\u001b';

describe('what a guest prints on its serial line', () => {
  it.each([
    ['letters, of any language', 'login: 中文 é 🙂\r\n'],
    ['colours', `${E}[0;1;38;5;196m${E}[38:2:1:2:3mred${E}[m`],
    ['cursor, erasing, margins', `${E}[2J${E}[H${E}[10;20H${E}[K${E}[1;24r${E}7${E}8${E}[S${E}[T`],
    ['lines drawn, another screen, marked paste', `${E}(0lqk${E}(B\u000f${E}[?1049h${E}[?25l${E}[?2004h`],
  ])('passes: %s', (_, text) => {
    expect(tame(text)).toBe(text);
  });

  it.each([
    ['a title', `${E}]0;rm -rf ~${'\u0007'}`],
    ['the clipboard', `${E}]52;c;ZXZpbA==${E}\\`],
    ['a link', `${E}]8;;file:///etc/passwd${E}\\`],
    ['a title of screen', `${E}kname${E}\\`],
    [
      'what asks the terminal to answer for itself',
      `${E}[6n${E}[5n${E}[c${E}[>c${E}[=c${E}[?6n${E}[>q\u0005${E}Z`,
    ],
    ['what a window is told', `${E}[21t${E}[8;1;1t${E}[3;0;0t`],
    ['the mouse, and being looked at', `${E}[?1000h${E}[?1003;1006h${E}[?1004h${E}[?25;1003h`],
    ['strings of devices and programs', `${E}P$q"p${E}\\${E}_Gf=100;AAAA${E}\\${E}^x${E}\\${E}Xx${E}\\`],
    ['the same as one letter each', '\u009b21t\u009d0;x\u009c\u0090q\u009c'],
    ['repeating without end', `${E}[999999999b`],
    ['keyboards', `${E}[>1u${E}[>4;2m`],
    ['a sequence longer than any', `${E}[${'1;'.repeat(500)}m`],
  ])('leaves out: %s', (_, text) => {
    expect(tame(`a${text}b`)).toBe('ab');
  });

  it('one that is never ended swallows no more than itself ends; what comes after is shown', () => {
    expect(tame(`${E}]0;half`, ' and half', `\u0007shown`)).toBe('shown');
    expect(tame(`${E}[12`, ';5Hshown')).toBe(`${E}[12;5Hshown`);
    expect(tame(`${E}]52;c;x${E}[1mshown`)).toBe(`${E}[1mshown`);
  });

  it('a string without an end, from a program that died, hides some KiB and not the rest of the day', () => {
    expect(tame(`${E}P${'x'.repeat(4097)}login:`)).toBe('login:');
    expect(tame(`${E}P${'x'.repeat(4000)}${E}\\${E}]0;${'x'.repeat(4000)}\u0007shown`)).toBe('shown');
  });

  const hostile = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom(
        E,
        `${E}[`,
        `${E}]52;c;`,
        `${E}\\`,
        '\u0007',
        '\u009b',
        '?',
        '1000',
        'h',
        ';',
        't',
        'c',
        'P',
        '\u0018',
      ),
    ),
    { maxLength: 40 },
  );

  it('whatever comes, in whatever pieces: the same passes, it is tame itself, and holds no command', () => {
    void fc.assert(
      fc.property(hostile, pieces => {
        fc.pre(!pieces.join('').includes('ESC<'));
        const passed = tame(pieces.join(''));
        expect(tame(...pieces.join('').split(/(?:)/u))).toBe(passed);
        expect(tame(passed)).toBe(passed);
        // Not by our own table: of an escape only these may follow, and of a sequence these may not be the end.
        const seen = passed.replaceAll(E, 'ESC<');
        for (const [, next] of seen.matchAll(/ESC<(.?)/gsu)) expect('[()78DEMH=>c').toContain(next);
        expect(seen).not.toMatch(/ESC<\[[^@-~]*[tcbpn]|ESC<\[\?[\d;]*100\d/u);
        for (const sign of passed)
          expect(sign === '\u0005' || (sign >= '\u0080' && sign <= '\u009f')).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
