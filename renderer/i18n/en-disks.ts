// The English texts of disks and their history besides points: comparing, checking, space, size, updates, and
// a lost timeline.
export const enDisks = {
  historyMenu: {
    label: 'More about the history',
    compare: 'Compare points…',
    check: 'Check the history…',
    compact: 'Give space back…',
    exportUpdate: 'Make an update file…',
    importUpdate: 'Add an update…',
  },
  compare: {
    verb: 'Compare…',
    title: 'Compare two points',
    from: 'Point',
    to: 'With',
    now: 'Now',
    parent: (name: string) => `${name} (just before it)`,
    nothingSince: 'Nothing was written since.',
    differsSince: (size: string, count: string, isOne: boolean, isMore: boolean) =>
      `Since then up to ${size} changed, in ${isMore ? 'more than ' : ''}${count} ${isOne ? 'place' : 'places'}.`,
    nothing: 'They are the same: nothing was written between them.',
    differs: (size: string, count: string, isOne: boolean, isMore: boolean) =>
      `${size} may differ, in ${isMore ? 'more than ' : ''}${count} ${isOne ? 'place' : 'places'}.`,
    busiestFirst: (size: string) => `Half of it lies in the first ${size}.`,
    busiest: (from: string, to: string) => `Half of it lies between ${from} and ${to}.`,
    disk: (index: number, size: string) => `Disk ${index} · ${size}`,
    notTold: 'Places beyond this are counted, not drawn.',
    note: 'Places written are counted in 4 KiB, whether or not the same was written again. Nothing is read or changed, and the VM runs on.',
    noPoints: 'There is no point to compare yet. Take one first.',
    asking: 'Looking…',
    since: 'What has changed since?',
    same: 'Choose two different ones.',
  },
  check: {
    title: (name: string) => `Check the history of ${name}`,
    text: (size: string) =>
      `Everything the history holds (${size}) is read and compared with the checksums recorded when it came to rest. Nothing is changed, and the VM may run meanwhile.`,
    verb: 'Check now',
    again: 'Check again',
    never: 'It has not been checked since Ebb’s service started.',
    last: (when: string, read: string) => `Checked ${when} · ${read} compared`,
    under: 'Checking…',
    underNote: 'You may close this: the check goes on, and what it finds is kept here.',
    stop: 'Stop checking',
    show: 'Show what was found',
    wholeTitle: 'Everything is whole',
    whole: (points: number) =>
      points === 0
        ? 'Now is as it was recorded.'
        : `Now and ${points === 1 ? 'the one point' : `all ${points} points`} are as they were recorded.`,
    stoppedTitle: 'The check was stopped',
    stopped: (read: string, total: string) =>
      `${read} of ${total} were compared, and they are as they were recorded. Nothing is known of the rest.`,
    unrecorded: (size: string) =>
      `For ${size} no checksum is recorded yet; that happens by itself when the history is at rest.`,
    damagedTitle: 'A part of the history is damaged',
    damaged: (places: number, files: number, isMore: boolean) =>
      `${isMore ? 'More than ' : ''}${places} ${places === 1 ? 'place' : 'places'} in ${files} ${files === 1 ? 'file' : 'files'} ${places === 1 && !isMore ? 'is' : 'are'} not what was recorded.`,
    safeNow: (count: number) =>
      count === 0
        ? 'Now is whole: the VM may run on.'
        : `Now and ${count} ${count === 1 ? 'point' : 'points'} are whole: the VM may run on, and you can go back to any point not named here.`,
    safePoints: (count: number) =>
      count === 0
        ? 'What is not named below reads right, also in damaged points.'
        : `${count} ${count === 1 ? 'point is' : 'points are'} whole: you can go back to any point not named here.`,
    todoNow: (name: string | null) =>
      name === null
        ? 'Copy what matters out of the running VM, then create it anew from a copy you have elsewhere.'
        : `Copy what matters out of the VM, then go back to “${name}”, the newest point that is whole.`,
    todoPoints:
      'Keep the damaged points only if you need something in them. A disk that damages files may fail: a copy elsewhere is worth its time.',
    touches: 'Touched',
    now: 'Now',
    noPoint: 'No point reads it',
    trashed: (name: string) => `${name} (in the trash)`,
    places: 'Where exactly',
    columns: { at: 'At', length: 'Length', touches: 'Touches', what: 'What, and in which file' },
    more: (count: number) => `…and ${count} more; the command line lists all.`,
  },
  compact: {
    title: (name: string) => `Give space of ${name} back`,
    text: 'Points let go of what they hold for nothing: blocks that are only zeros, and room between blocks that no point reads. No point changes, and the VM may run meanwhile.',
    rest: 'It begins when the history is at rest and makes way for anything else.',
    holds: (size: string) => `The history takes ${size} on this computer now.`,
    last: (size: string) => `The last time, ${size} came back.`,
    verb: 'Give space back',
    under: 'Giving space back…',
    underNote: 'You may close this: it goes on by itself.',
    stop: 'Stop',
    done: (size: string) => `${size} came back. Every point is as it was.`,
    none: 'Nothing was held for nothing. Every point is as it was.',
    stopped: (size: string) => `It was stopped. ${size} came back; every point is as it was.`,
    paused: 'Settling is paused, and this is part of it.',
    resume: 'Let settling go on',
  },
  disks: {
    disk: (index: number) => `Disk ${index}`,
    line: (virtual: string, used: string) => `${virtual} for the guest · takes ${used} here with its history`,
    virtualOnly: (virtual: string) => `${virtual} for the guest`,
    grow: 'Make larger…',
    growAny: 'Make a disk larger…',
    growTitle: (index: number) => `Make disk ${index} larger`,
    growNamed: (index: number) => `Make larger…: disk ${index}`,
    size: 'New size',
    unit: 'GiB',
    sizeHelp: (now: string) => `It is ${now} now. At most 2040 GiB.`,
    points:
      'Your points stay as large as they were, and nothing is copied. Room is taken only as the guest writes.',
    never: 'A disk is never made smaller again, but for going back to a point of before.',
    running: (name: string) => `${name} is running and is told at once, where its system listens.`,
    verb: 'Make larger',
    problems: {
      'no-amount': 'Write an amount such as 60 or 60.5.',
      'not-larger': (now: string) => `A disk only grows: write more than ${now}.`,
      'too-large': 'A VHD holds at most 2040 GiB.',
    },
    grown: (disk: string, size: string) => `${disk} holds ${size} now.`,
    later: (name: string) => `${name} hears of it at its next start:`,
    extend: 'The guest has to extend its own partition and file system to use the room.',
  },
  updates: {
    exportTitle: 'Make an update file',
    exportText:
      'One file with what a point has otherwise than an older one. Whoever has the older point adds it to their VM; other programs open it beside its parent.',
    has: 'They have',
    get: 'They get',
    disk: 'Disk',
    size: (size: string) => `The file takes about ${size}.`,
    same: 'Nothing differs: the file would be empty.',
    twoPoints: 'An update goes from one point to another: take a second point first.',
    differ: 'Choose two different points.',
    exportVerb: 'Make the file',
    importTitle: (name: string) => `Add an update to ${name}`,
    importText:
      'A file made with “Make an update file” becomes a point: a branch of the point it was made from. Now and every other point stay as they are.',
    importVerb: 'Add it',
    nameHelp: 'Empty: the name of the file.',
    ontoTitle: 'One thing is missing: which point it was made from',
    onto: 'It was made from',
    ontoHelp:
      'The file names no point of this VM. If you know the point it was made from, choose it; with another one its content would be wrong.',
    chooseOnto: 'Choose a point…',
    under: 'Adding the update…',
    underNote: 'You may close this: it goes on by itself.',
    stop: 'Stop',
    added: (name: string) => `“${name}” is a point of this VM now`,
    addedText: 'Now is as it was. Go back to the new point to use it.',
    show: 'Show the point',
    stopped: 'It was not added. Every point is as it was.',
  },
  lost: {
    goneTitle: 'The timeline of this VM is lost',
    unreadableTitle: 'The timeline of this VM cannot be read',
    gone: (name: string) => `The file that lists the points of ${name} is gone. Its disk images are there.`,
    safe: 'Nothing was changed. Each image says in its own header which point it is and what it hangs off, so the timeline can be made anew from them; names and notes come back as far as a copy of them is found.',
    safeUnreadable:
      'The images are not affected. Where the list itself is ruined, it can be made anew from their headers; it is put aside, not deleted.',
    details: 'What the service said',
    verb: 'Rebuild from the images',
    working: 'Rebuilding…',
    mustBeOff: (name: string) => `${name} must be off for this.`,
    doneTitle: 'The timeline is there again',
    done: (points: number, nameless: number) =>
      `${points} ${points === 1 ? 'point was' : 'points were'} found in the images, and no image was changed.${nameless === 0 ? '' : ` The ${nameless === 1 ? 'name of one was' : `names of ${nameless} were`} lost: ${nameless === 1 ? 'it is' : 'they are'} called “Recovered 1”${nameless === 1 ? '' : ' and on'}.`}`,
    notes: 'What could not be used',
    attention: (name: string) => `${name}: the timeline cannot be read`,
    attentionText: 'Its disk images are there, and the timeline can be made anew from them.',
  },
};
