// The English texts of trying and undoing ranges, and of freeing memory of this computer.
export const enMemory = {
  trial: {
    try: (seconds: string) => `Try changes for ${seconds} s`,
    title: (name: string, range: string) => `Trying ${range} for ${name}`,
    /** The time left stands after these words. */
    goesBack: (range: string) => `It goes back to ${range} by itself in`,
    goingBack: (range: string) => `It goes back to ${range} now.`,
    keep: 'Keep',
    keepNamed: (range: string) => `Keep ${range}`,
    goBack: 'Go back now',
    short: (range: string) => `Trying ${range}`,
    mark: 'range on trial',
    undo: (range: string) => `Undo: back to ${range}`,
    began: (name: string, range: string, before: string, seconds: string) =>
      `Trying ${range} for ${name}. In ${seconds} seconds it goes back to ${before}, unless you keep it.`,
    soon: (name: string, seconds: string) => `${name}: ${seconds} seconds until its range goes back.`,
    ended: (name: string, range: string) => `The trial is over: ${name} has ${range}.`,
    error: { undo: 'Undo', keep: 'Keep', goBack: 'Go back' },
  },
  free: {
    open: 'Free…',
    action: 'Free memory…',
    title: 'Free memory of this computer',
    intro:
      'For another program that needs it: VMs give memory back until so much is free, and leave it free for a while. None goes below its minimum.',
    now: (size: string) => `${size} of this computer are free now.`,
    amount: 'To be free in all',
    more: (size: string) => `+${size}`,
    moreLabel: 'More than is free now',
    span: 'For how long',
    gives: (size: string) => `VMs have to give back about ${size}.`,
    givesNothing: 'So much is free already. Nothing is taken from VMs, and they leave it free.',
    lacks: (most: string) =>
      `More than VMs can give: at most about ${most} can be free before all are at their minimum.`,
    replaces: (size: string, until: string) =>
      `${size} are being kept free until ${until}; asking again takes its place.`,
    verb: 'Free memory',
    enough: (size: string) => `${size} will be free`,
    enoughAlready: (size: string) => `${size} are free already`,
    notEnough: (size: string) => `Not enough for ${size}`,
    until: (when: string) => `VMs do not use it before ${when}, unless you end that earlier.`,
    kept: (size: string, until: string) => `${size} kept free until ${until}`,
    end: 'End',
    endAction: 'End keeping memory free',
  },
};
