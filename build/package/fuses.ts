// Electron's fuses: the wanted ones, and those that a built executable has. The fuse wire is read by its
// documented form, not with the tool that wrote it.

const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

/**
 * The wanted fuses, in the order of the wire; null: the runtime's own choice. The names are
 * electron-builder's.
 */
export const FUSES: Readonly<Record<string, boolean | null>> = {
  runAsNode: false,
  enableCookieEncryption: true,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: false,
  enableEmbeddedAsarIntegrityValidation: true,
  onlyLoadAppFromAsar: true,
  loadBrowserProcessSpecificV8Snapshot: null,
  grantFileProtocolExtraPrivileges: false,
};

/** One character for each fuse: '1' on, '0' off, 'r' removed. Throws when the executable has no fuse wire. */
export function fuseWire(executable: Buffer): string {
  const at = executable.indexOf(SENTINEL, 0, 'latin1');
  if (at < 0) throw new Error('the executable has no fuses');
  const start = at + SENTINEL.length;
  const [version = 0, length = 0] = executable.subarray(start, start + 2);
  if (version !== 1) throw new Error(`its fuses are of version ${version}`);
  return executable.toString('latin1', start + 2, start + 2 + length);
}

/** The fuses that are not as wanted, in words. */
export const wrongFuses = (wire: string): string[] =>
  Object.entries(FUSES).flatMap(([name, isOn], at) =>
    isOn === null || wire[at] === (isOn ? '1' : '0') ? [] : [`${name} is ${wire[at] ?? 'missing'}`],
  );

/** An executable with nothing but fuses, set as Electron delivers them: for packing without its runtime. */
export const standInExecutable = (): Buffer =>
  Buffer.concat([
    Buffer.from('#!/bin/sh\necho "Ebb was packed without the Electron runtime" >&2\nexit 1\n'),
    Buffer.from(SENTINEL, 'latin1'),
    Buffer.from([1, Object.keys(FUSES).length]),
    Buffer.from('10110011', 'latin1'),
  ]);
