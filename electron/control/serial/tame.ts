// Makes what a guest writes on its serial line fit for any terminal. Letters, colours and cursor movements
// pass. Whatever would set a title or the clipboard, make a link, watch the mouse, or have the terminal
// answer is left out: every viewer's terminal would answer, also that of a viewer that comes later. Pure.

const ESCAPE = 0x1b;
const [CANCEL, SUBSTITUTE, BELL, DELETE] = [0x18, 0x1a, 0x07, 0x7f];
/** No real sequence is longer. */
const SEQUENCE_MAX = 64;
/** Bell, backspace, tab, line feeds, return, and the two character sets. Not ENQ: a terminal would answer. */
const isPlainControl = (code: number): boolean => code >= BELL && code <= 0x0f;
/** Strings, up to BEL or ST: DCS, SOS, OSC, PM, APC, and the title of `screen`. */
const STRINGS_AFTER_ESCAPE = 'PX]^_k';
const STRINGS_AS_C1 = [0x90, 0x98, 0x9d, 0x9e, 0x9f];
const CSI_AS_C1 = 0x9b;
/** Save, restore, index, next line, reverse index, tab stop, keypads, full reset. */
const AFTER_ESCAPE = '78DEMH=>c';
/** Cursor, erase, insert, delete, scroll, colours, margins. */
const FINALS = '@ABCDEFGHIJKLMPSXZ`adefgmrsu';
/** Cursor keys, origin, wrap, blinking, cursor, other screens, marked paste. */
const PRIVATE_MODES = [1, 6, 7, 12, 25, 47, 1047, 1048, 1049, 2004];

const areModes = (words: string): boolean =>
  words.split(';').every(word => PRIVATE_MODES.includes(Number(word)));

function isTameSequence(words: string, final: string): boolean {
  if (words.startsWith('?')) {
    if (final === 'h' || final === 'l') return areModes(words.slice(1));
    return 'JK'.includes(final) && /^\?\d?$/.test(words);
  }
  if (final === 'h' || final === 'l') return words === '4';
  if (final === 'q') return /^\d? $/.test(words);
  if (final === 'T') return /^\d*$/.test(words);
  return FINALS.includes(final) && /^[\d;:]*$/.test(words);
}

type State = 'ground' | 'escape' | 'charset' | 'sequence' | 'string' | 'string-escape';

/** A string that is never ended (its program died, or a file is no text) hides no more than this. */
const STRING_MAX = 4096;

export class Tame {
  #state: State = 'ground';
  #held = '';
  /** The length of the string under way. */
  #length = 0;

  /** Returns what passes of the next piece. A sequence may go on in the piece after. */
  feed(text: string): string {
    let passed = '';
    for (const sign of text) passed += this.#take(sign, sign.codePointAt(0) ?? 0);
    return passed;
  }

  #take(sign: string, code: number): string {
    switch (this.#state) {
      case 'ground':
        return this.#ground(sign, code);
      case 'escape':
        return this.#escape(sign, code);
      case 'charset':
        this.#state = 'ground';
        return 'B0A'.includes(sign) ? `${this.#held}${sign}` : '';
      case 'sequence':
        return this.#sequence(sign, code);
      case 'string':
        if (++this.#length > STRING_MAX) this.#state = 'ground';
        else if (code === ESCAPE) this.#state = 'string-escape';
        else if (code === BELL || code === CANCEL || code === SUBSTITUTE || code === 0x9c)
          this.#state = 'ground';
        return '';
      case 'string-escape':
        // ST, or another sequence that ends the string.
        if (sign !== '\\') return this.#escape(sign, code);
        this.#state = 'ground';
        return '';
    }
  }

  #ground(sign: string, code: number): string {
    if (code === ESCAPE) this.#state = 'escape';
    else if (code === CSI_AS_C1) this.#begin();
    else if (STRINGS_AS_C1.includes(code)) return this.#stay('string');
    else if (isPlainControl(code) || (code >= 0x20 && code < DELETE) || code > 0x9f) return sign;
    return '';
  }

  #begin(): void {
    this.#state = 'sequence';
    this.#held = '';
  }

  #escape(sign: string, code: number): string {
    if (code === ESCAPE) return this.#stay('escape');
    if (sign === '[') return this.#stay('sequence');
    if (STRINGS_AFTER_ESCAPE.includes(sign)) return this.#stay('string');
    if (sign === '(' || sign === ')') {
      this.#state = 'charset';
      this.#held = `\u001b${sign}`;
      return '';
    }
    this.#state = 'ground';
    return AFTER_ESCAPE.includes(sign) ? `\u001b${sign}` : '';
  }

  #stay(state: State): string {
    this.#state = state;
    this.#held = '';
    this.#length = 0;
    return '';
  }

  #sequence(sign: string, code: number): string {
    if (code === ESCAPE) return this.#stay('escape');
    if (code === CANCEL || code === SUBSTITUTE || code > 0x7e) return this.#stay('ground');
    if (code < 0x20) return '';
    if (code < 0x40) {
      // One sign more than may pass marks the sequence as too long.
      if (this.#held.length <= SEQUENCE_MAX) this.#held += sign;
      return '';
    }
    this.#state = 'ground';
    const isTame = this.#held.length <= SEQUENCE_MAX && isTameSequence(this.#held, sign);
    return isTame ? `\u001b[${this.#held}${sign}` : '';
  }
}
