/** In QEMU's option syntax a comma is doubled. */
export const escaped = (value: string): string => value.replaceAll(',', ',,');
