// Keeps a disk file opened from outside until the create dialog takes it.
import type { ChosenFile } from './create-form.ts';

let offered: ChosenFile | null = null;

export const offerFile = (file: ChosenFile): void => {
  offered = file;
};
export const offeredFile = (): ChosenFile | null => offered;
export const forgetOffered = (): void => {
  offered = null;
};
