// Words around the help pages; the pages themselves are in renderer/help.
export const enHelp = {
  help: {
    title: 'Help',
    missing: 'This page could not be read. Reload the window.',
    pages: {
      guide: 'User guide',
      it: 'Guide for IT',
      data: 'Your data without Ebb',
      policy: 'Limits by IT',
      architecture: 'How it is built',
      licences: 'Licences',
    },
  },
};
