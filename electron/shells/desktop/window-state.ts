// Where the window opens. Pure. A saved rectangle is used only if it still is visible on a display.

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface WindowState {
  readonly bounds: Partial<Rectangle> & { readonly width: number; readonly height: number };
  readonly isMaximized: boolean;
}

export const MIN_WIDTH = 900;
export const MIN_HEIGHT = 600;
const DEFAULT: WindowState = { bounds: { width: 1280, height: 800 }, isMaximized: false };
/** How much of the title bar must be on a display for a person to grab it. */
const GRABBABLE = 100;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function isSeen(bounds: Rectangle, displays: readonly Rectangle[]): boolean {
  return displays.some(
    area =>
      bounds.x + bounds.width >= area.x + GRABBABLE &&
      bounds.x <= area.x + area.width - GRABBABLE &&
      bounds.y >= area.y &&
      bounds.y <= area.y + area.height - GRABBABLE,
  );
}

/** `saved` is whatever the file held. */
export function windowState(saved: unknown, displays: readonly Rectangle[]): WindowState {
  if (typeof saved !== 'object' || saved === null) return DEFAULT;
  const { x, y, width, height, isMaximized } = saved as Record<string, unknown>;
  if (!isNumber(x) || !isNumber(y) || !isNumber(width) || !isNumber(height)) return DEFAULT;
  const bounds = {
    x,
    y,
    width: Math.max(MIN_WIDTH, Math.round(width)),
    height: Math.max(MIN_HEIGHT, Math.round(height)),
  };
  if (!isSeen(bounds, displays)) return { ...DEFAULT, isMaximized: isMaximized === true };
  return { bounds, isMaximized: isMaximized === true };
}
