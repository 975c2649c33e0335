import { describe, expect, it } from 'vitest';
import { windowState } from '../../../../electron/shells/desktop/window-state.ts';

const display = { x: 0, y: 0, width: 1920, height: 1080 };

describe('window state', () => {
  it.each([
    undefined,
    null,
    'x',
    {},
    { x: 1, y: 1, width: 'a', height: 2 },
    { x: Number.NaN, y: 0, width: 1, height: 1 },
  ])('takes the default for %j', saved => {
    expect(windowState(saved, [display])).toEqual({
      bounds: { width: 1280, height: 800 },
      isMaximized: false,
    });
  });

  it('takes what was saved, no smaller than the page needs', () => {
    const state = windowState({ x: 5, y: 6, width: 100, height: 100, isMaximized: true }, [display]);
    expect(state).toEqual({ bounds: { x: 5, y: 6, width: 900, height: 600 }, isMaximized: true });
  });

  it('forgets a place on a display that is gone, keeping that it was maximized', () => {
    const state = windowState({ x: 3000, y: 6, width: 1000, height: 700, isMaximized: true }, [display]);
    expect(state).toEqual({ bounds: { width: 1280, height: 800 }, isMaximized: true });
    expect(windowState({ x: 0, y: -500, width: 1000, height: 700 }, [display]).bounds).not.toHaveProperty(
      'y',
    );
  });
});
