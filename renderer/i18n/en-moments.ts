// The English of what else is saved with a point: memory, a picture of the screen, how whole it is.
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
    fresh: 'Boot from the disk instead',
  },
  peek: {
    verb: 'Peek',
    chip: (point: string) => `A look at “${point}”`,
    mark: 'A look',
    note: 'It has no network, and nothing done here is kept. The present is not touched.',
    close: 'Close',
  },
};
