// What control keeps in a VM's folder beside its disks. The folder is relocatable: nothing in it names where it lies but
// the record, which is relocated.
interface Home {
  readonly home: string;
}

export const recordPath = ({ home }: Home): string => `${home}/run.json`;
export const logPath = ({ home }: Home): string => `${home}/qemu.log`;
/** UEFI variables: part of every point of the VM (L4). */
export const uefiVarsPath = ({ home }: Home): string => `${home}/uefi-vars.fd`;
/** What its TPM holds: part of every point of the VM (L4). */
export const tpmFolder = ({ home }: Home): string => `${home}/tpm`;
/** What its cloud image asks for at its first start. */
export const seedFolder = ({ home }: Home): string => `${home}/seed`;
