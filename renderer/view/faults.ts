// Recognizes the errors to which the window responds with more than their words. Pure.
import type { ErrorBody } from '../../shared/errors.ts';

/** Whether timeline.db is gone or unreadable: the images may still know its content (T5). Null: neither. */
export function lossOf({ code, data }: ErrorBody): 'gone' | 'unreadable' | null {
  if (code !== 'timeline.missing') return null;
  return data?.isDamaged === true ? 'unreadable' : 'gone';
}

/** Whether an update's parent UUID names no point of this VM: the person may know which point it is. */
export const asksForParent = ({ code, data }: ErrorBody): boolean =>
  code === 'vhd.parent-mismatch' && data?.field === 'parent UUID';
