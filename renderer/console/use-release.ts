// Ctrl+Alt alone, pressed and released, takes the keyboard back from a console, which gets every other chord.
import { type RefObject, useEffect, useRef } from 'react';

export function useRelease(letGo: () => void, frame: RefObject<HTMLElement | null>): void {
  const latest = useRef(letGo);
  latest.current = letGo;
  useEffect(() => {
    let isChord = false;
    const down = (event: KeyboardEvent): void => {
      isChord = (event.key === 'Alt' && event.ctrlKey) || (event.key === 'Control' && event.altKey);
    };
    const up = (): void => {
      if (!isChord) return;
      isChord = false;
      latest.current();
      frame.current?.focus();
    };
    window.addEventListener('keydown', down, true);
    window.addEventListener('keyup', up, true);
    return () => {
      window.removeEventListener('keydown', down, true);
      window.removeEventListener('keyup', up, true);
    };
  }, [frame]);
}
