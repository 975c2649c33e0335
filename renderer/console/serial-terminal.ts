// xterm.js as the serial line uses it: bounded, and deaf to commands a guest has no business giving. Control
// filters those out already; they are refused here too.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

const SCROLLBACK_LINES = 5_000;
/** Bytes that may wait to be drawn. Output of a guest that prints faster than can be drawn is left out. */
const UNDRAWN_BYTES_MAX = 2 ** 20;
/** OSC commands for titles, links, the clipboard, and for setting or asking colours. */
const REFUSED_COMMANDS = [0, 1, 2, 4, 8, 10, 11, 12, 52];

export interface SerialTerminal {
  readonly draw: (bytes: Uint8Array) => void;
  readonly blur: () => void;
  readonly dispose: () => void;
}

const colour = (element: Element, name: string): string =>
  getComputedStyle(element).getPropertyValue(name).trim();

export function openTerminal(
  element: HTMLElement,
  { label, omitted, typed }: { label: string; omitted: string; typed: (text: string) => void },
): SerialTerminal {
  Terminal.strings.promptLabel = label;
  const background = colour(element, '--console');
  const terminal = new Terminal({
    scrollback: SCROLLBACK_LINES,
    screenReaderMode: true,
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: 13,
    minimumContrastRatio: 4.5,
    linkHandler: { activate: () => undefined },
    theme: { background, foreground: '#d7dce2', cursor: '#d7dce2', cursorAccent: background },
  });
  for (const command of REFUSED_COMMANDS) terminal.parser.registerOscHandler(command, () => true);
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(element);
  const sized = new ResizeObserver(() => fit.fit());
  sized.observe(element);
  terminal.onData(typed);
  let undrawn = 0;
  let hasOmitted = false;
  return {
    draw: bytes => {
      if (undrawn + bytes.length > UNDRAWN_BYTES_MAX) {
        hasOmitted = true;
        return;
      }
      if (hasOmitted) terminal.write(`\r\n${omitted}\r\n`);
      hasOmitted = false;
      undrawn += bytes.length;
      terminal.write(bytes, () => {
        undrawn -= bytes.length;
      });
    },
    blur: () => terminal.blur(),
    dispose: () => {
      sized.disconnect();
      terminal.dispose();
    },
  };
}
