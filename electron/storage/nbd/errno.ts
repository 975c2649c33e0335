// Maps our error codes to the few errors that NBD has. ENOMEM is never sent, as the specification asks.
import type { ErrorCode } from '../../../shared/errors.ts';

export const NBD_ERROR = {
  EPERM: 1,
  EIO: 5,
  EINVAL: 22,
  ENOSPC: 28,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const;
export type NbdError = (typeof NBD_ERROR)[keyof typeof NBD_ERROR];

/** T14: a full disk must reach QEMU as ENOSPC, so that it pauses the VM with that reason. */
const BY_CODE: Partial<Record<ErrorCode, NbdError>> = {
  'disk.full': NBD_ERROR.ENOSPC,
  'disk.in-use': NBD_ERROR.EPERM,
  'disk.not-found': NBD_ERROR.ESHUTDOWN,
  'storage.unavailable': NBD_ERROR.ESHUTDOWN,
  cancelled: NBD_ERROR.ESHUTDOWN,
};

export const toNbdError = (code: ErrorCode): NbdError => BY_CODE[code] ?? NBD_ERROR.EIO;
