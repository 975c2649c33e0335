// Errors the window answers with more than their words. Pure.
import type { ErrorBody } from '../../shared/errors.ts';

/** The timeline's database is gone, or cannot be read: the images may still tell what it knew (T5). */
export function lossOf({ code, data }: ErrorBody): 'gone' | 'unreadable' | null {
  if (code !== 'timeline.missing') return null;
  return data?.isDamaged === true ? 'unreadable' : 'gone';
}

/** An update whose parent is no point of this VM by its UUID: a person may know which one it is. */
export const asksForParent = ({ code, data }: ErrorBody): boolean =>
  code === 'vhd.parent-mismatch' && data?.field === 'parent UUID';
