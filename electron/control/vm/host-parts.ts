// The parts of this computer that machines are made with beside QEMU: UEFI firmware and TPMs. Where they lie is the
// distribution's choice, so they are looked for.
import { Fault } from '../../../shared/result.ts';
import type { Firmware } from '../../../shared/vm-setup.ts';

export interface FirmwareFiles {
  /** Read-only, shared by all VMs. */
  readonly code: string;
  /** The template of a VM's own variables. */
  readonly vars: string;
}

type Uefi = Exclude<Firmware, 'bios'>;

const pair = (folder: string, code: string, vars: string): FirmwareFiles => ({
  code: `${folder}/${code}`,
  vars: `${folder}/${vars}`,
});
/** Secure Boot needs variables with Microsoft's keys in them: only what a known key signed boots. */
const PLACES: Readonly<Record<Uefi, readonly FirmwareFiles[]>> = {
  uefi: [
    pair('/usr/share/OVMF', 'OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'),
    pair('/usr/share/OVMF', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
    pair('/usr/share/edk2/x64', 'OVMF_CODE.4m.fd', 'OVMF_VARS.4m.fd'),
    pair('/usr/share/edk2/ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  ],
  'uefi-secure': [
    pair('/usr/share/OVMF', 'OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.ms.fd'),
    pair('/usr/share/OVMF', 'OVMF_CODE.secboot.fd', 'OVMF_VARS.ms.fd'),
    pair('/usr/share/edk2/ovmf', 'OVMF_CODE.secboot.fd', 'OVMF_VARS.secboot.fd'),
  ],
};

/** Null: there is none. `varsBytes`: size of the VM's own variables, which fit only firmware of that size. */
export function findFirmware(
  firmware: Uefi,
  bytesOf: (path: string) => number | null,
  varsBytes: number | null,
): FirmwareFiles | null {
  const fits = ({ code, vars }: FirmwareFiles): boolean => {
    const bytes = bytesOf(vars);
    return bytesOf(code) !== null && bytes !== null && (varsBytes === null || bytes === varsBytes);
  };
  return PLACES[firmware].find(fits) ?? null;
}

export const INSTALL = {
  firmware: 'sudo apt-get install ovmf',
  tpm: 'sudo apt-get install swtpm',
} as const;

const NAMES: Readonly<Record<Firmware, string>> = {
  bios: 'BIOS',
  uefi: 'UEFI',
  'uefi-secure': 'UEFI with Secure Boot',
};

export const noFirmware = (firmware: Firmware, safe: string): Fault =>
  new Fault({
    code: 'host.unsupported',
    what: `This computer has no firmware for ${NAMES[firmware]} (OVMF).`,
    safe,
    todo: `Install it: ${INSTALL.firmware}, or choose another firmware.`,
  });

export const noTpm = (safe: string): Fault =>
  new Fault({
    code: 'host.unsupported',
    what: 'This computer has no program for TPMs (swtpm).',
    safe,
    todo: `Install it: ${INSTALL.tpm}, or leave the TPM out.`,
  });
