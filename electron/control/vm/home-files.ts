// Paths of what control keeps in a VM's folder beside its disks. The folder can be moved: only the run record
// names its place, and that record is relocated (run-record.ts).
interface Home {
  readonly home: string;
}

export const recordPath = ({ home }: Home): string => `${home}/run.json`;
export const logPath = ({ home }: Home): string => `${home}/qemu.log`;
/** UEFI variables and TPM state: part of every point of the VM (L4). */
export const MACHINE_STATE = ['uefi-vars.fd', 'tpm'] as const;
export const uefiVarsPath = ({ home }: Home): string => `${home}/${MACHINE_STATE[0]}`;
export const tpmFolder = ({ home }: Home): string => `${home}/${MACHINE_STATE[1]}`;
/** What a peek writes over the points it looks at. */
export const overlayPath = ({ home }: Home, index: number): string => `${home}/overlay-${index}.qcow2`;
/** What its cloud image asks for at its first start. */
export const seedFolder = ({ home }: Home): string => `${home}/seed`;
