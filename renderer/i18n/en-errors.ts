// The services' errors are English already. These texts replace advice that names a command line with what
// this window has instead.
import type { ErrorDictionary } from '../view/error-words.ts';

export const enErrors: ErrorDictionary = {
  own: null,
  here: {
    'vm.start-failed': 'Check this computer (on the overview). The whole log is qemu.log in the VM’s folder.',
    'vm.sample-missing':
      'Start Ebb once on a machine that can fetch packages: it assembles the sample guest.',
    'timeline.missing':
      'Put a whole copy of it back, or rebuild it from the images on this VM’s History page.',
    'vm.wrong-state': 'Let settling go on first, on this VM’s History page.',
  },
  elsewhere: 'Wait a moment, then try again.',
};
