// The English texts of IT policy. The title and meaning of each key are in the table of keys
// (shared/policy/keys.ts).
export const enPolicy = {
  policy: {
    open: 'Set by IT…',
    roles: {
      view: 'You are signed in to look: nothing can be changed from here.',
      operate: 'You are signed in to operate: VMs can be started, used and stopped, not set up or deleted.',
    },
    notHere: 'This sign-in may not see this.',
    signedInAs: (user: string) => `Signed in as ${user}`,
    signOut: 'Sign out',
    title: 'Set by IT',
    managedBy: (organization: string) => `Managed by ${organization}`,
    managed: 'Managed by whoever manages this computer',
    reason: (reason: string) => `Why: ${reason}`,
    contact: (contact: string) => `Ask: ${contact}`,
    who: 'Who set this?',
    limits: (text: string) => `Limit: ${text}`,
    atLeast: (amount: string) => `at least ${amount}`,
    atMost: (amount: string) => `at most ${amount}`,
    only: (words: string) => `only ${words}`,
    nothing: 'nothing',
    allowed: 'allowed',
    notAllowed: 'not allowed',
    none: '–',
    intro:
      'Limits set for this computer. They hold for the window, the command line and browsers alike; people cannot change them here.',
    empty: 'Nothing is set for this computer.',
    key: 'Setting',
    inForce: 'In force',
    limit: 'Limits',
    setBy: 'Set by',
    recommended: 'Recommended',
    files: 'Files',
    states: {
      'in-force': 'In force',
      'last-good': 'Cannot be used as it is now; what it said before is in force',
      'in-part': 'Only what could be understood is in force',
      refused: 'Not in force',
    },
    line: (line: string) => `line ${line}`,
    conflicts: 'Where files contradict each other',
    copy: 'Copy as JSON',
    copied: 'Copied',
    bannerTitle: 'A file with limits for this computer has a problem',
    bannerText:
      'Your VMs run on, and you can stop them and take their data with you. Tell whoever manages this computer.',
    look: 'Look',
    limited: (name: string, limit: string, own: string) =>
      `${name} is held at ${limit}. Its own maximum, ${own}, counts again when the limit goes.`,
  },
};
