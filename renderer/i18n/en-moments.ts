// The English texts of what else a point saves: memory, a picture of the screen, and how consistent it is.
export const enMoments = {
  moments: {
    withMemory: 'With its memory',
    withMemoryText: (size: string) =>
      `Saves what the VM is doing as well, up to ${size}. Going back resumes it there, programs and all.`,
    whole: {
      off: 'Taken while off',
      crash: 'Disk only, as after a power cut',
      frozen: 'File systems at rest',
      memory: 'With memory',
    },
    memorySize: (size: string) => `Its memory takes ${size}.`,
    screenOf: (name: string) => `The screen at ${name}`,
    resumes: (vm: string) => `${vm} resumes where it was, with its programs open.`,
    setUpThen: (differences: readonly string[]) => `Set up differently then: ${differences.join(', ')}.`,
    setUp: 'Also set it up as it was then',
    setUpHelp: (differences: readonly string[]) =>
      `It had: ${differences.join(', ')}. Limits of today still hold. Left off, it stays as it is set up now.`,
    setUpParts: {
      cpus: (count: number) => (count === 1 ? '1 processor' : `${count} processors`),
      memory: (min: string, max: string) => `${min} to ${max} of memory`,
      balance: 'other memory balancing',
      forwards: (count: number) => (count === 1 ? '1 port forward' : `${count} port forwards`),
      tpm: (isOn: boolean): string => (isOn ? 'a TPM' : 'no TPM'),
      networks: { user: 'the network', isolated: 'an isolated network', none: 'no network' },
      machine: 'another machine',
    },
    fresh: 'Boot from the disk instead',
  },
  files: {
    verb: 'Restore files…',
    verbDone: 'Restore files',
    title: (name: string) => `Files at “${name}”`,
    help: 'Chosen files are copied into a new folder on this computer. The point and the VM stay as they are.',
    disk: 'Disk',
    part: 'Partition',
    way: 'Where you are',
    root: 'Disk',
    of: (folder: string) => `In ${folder}`,
    asking: 'Reading the disk…',
    failed: 'The files cannot be shown',
    unreadable: 'No file system that can be read',
    unreadableText: 'Encrypted disks, LVM, XFS and Btrfs are not read here. Peek at the point instead.',
    count: (entries: number) =>
      entries === 0 ? 'Nothing is in here.' : entries === 1 ? '1 entry' : `${entries} entries`,
    tooMany: (entries: number) => `More than ${entries} entries: only some of them are shown.`,
    notCopied: 'not copied',
    restore: (files: number) =>
      files === 0 ? 'Restore files' : files === 1 ? 'Restore 1 file' : `Restore ${files} files`,
  },
  peek: {
    verb: 'Peek',
    chip: (point: string) => `A look at “${point}”`,
    mark: 'A look',
    note: 'It has no network, and nothing done here is kept. The present is not touched.',
    close: 'Close',
  },
};
