// Where Ebb's other programs lie. The paths are relative: this file is as deep in the sources as in the
// bundle.
import { siblingModule } from '../platform/worker-thread.ts';

export const storageModule = siblingModule(import.meta.url, '../storage/main');

/** Reads foreign VHDs, in a process of its own. */
export const vhdReaderModule = siblingModule(import.meta.url, '../storage/vhd/main');
