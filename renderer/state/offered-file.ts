// A disk opened from outside, until the dialog for a new VM takes it.
import type { ChosenFile } from './create-form.ts';

let offered: ChosenFile | null = null;

export const offerFile = (file: ChosenFile): void => {
  offered = file;
};
export const offeredFile = (): ChosenFile | null => offered;
export const forgetOffered = (): void => {
  offered = null;
};
