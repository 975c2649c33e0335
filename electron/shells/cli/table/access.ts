// Commands about access from browsers, as data.
import { ROLES } from '../../../../shared/roles.ts';
import { row } from '../words.ts';

const DAY_S = 86_400;
const ROLES_DOC =
  'view to look, operate also to start, use and stop VMs, administer for everything a browser may';

export const ACCESS_ROWS = {
  'token create': row({
    help: 'Make a token for a person or a machine elsewhere, and print it: it is shown this once',
    arguments: [{ name: 'NAME', kind: 'text', doc: 'Whose it is, as the audit will say' }],
    options: {
      role: {
        kind: 'choice',
        choices: ROLES,
        required: 'Say what it may: --role view.',
        doc: `What it may: ${ROLES_DOC}`,
      },
      for: {
        kind: 'span',
        least: 60,
        most: 3660 * DAY_S,
        doc: 'How long it is good for: 30d; without it until it is revoked',
      },
    },
  }),
  'token list': row({
    help: 'Tokens, and links nobody used yet, without what they are',
    arguments: [],
    options: {},
  }),
  'token revoke': row({
    help: 'End a token and at once all that signed in with it, or a link that nobody used yet',
    arguments: [{ name: 'NAME', kind: 'text', doc: 'Its name; of a link the beginning of its id' }],
    options: {},
  }),
  'token link': row({
    help: 'Print a token that signs one browser in, once, within a day',
    arguments: [],
    options: {
      role: { kind: 'choice', choices: ROLES, default: 'administer', doc: `What it may: ${ROLES_DOC}` },
    },
  }),
  'session list': row({ help: 'Browsers that are signed in', arguments: [], options: {} }),
  'session end': row({
    help: 'Sign a browser out at once, with all it has open',
    arguments: [{ name: 'SESSION', kind: 'text', doc: 'The beginning of its id' }],
    options: {},
  }),
};

/** Commands that find or start the service by themselves. */
export const LOCAL_ACCESS_ROWS = {
  serve: row({
    help: 'Serve the window to browsers until interrupted; VMs run on',
    arguments: [],
    options: {
      port: {
        kind: 'count',
        least: 0,
        most: 65_535,
        default: '0',
        doc: 'Where to listen; 0 for any that is free',
      },
      host: {
        kind: 'text',
        default: '127.0.0.1',
        value: 'ADDRESS',
        doc: 'Where others reach it, like 0.0.0.0: encrypted, and only where a policy allows it',
      },
      tls: { kind: 'flag', doc: 'Encrypt on the loopback address too' },
      cert: { kind: 'file', doc: 'A certificate in PEM; without it one is made on first use' },
      key: { kind: 'file', doc: 'The key of the certificate' },
      name: {
        kind: 'text',
        many: true,
        value: 'NAME',
        doc: 'What browsers call this computer, beside its own names',
      },
      role: {
        kind: 'choice',
        choices: ROLES,
        default: 'administer',
        doc: `What its link may: ${ROLES_DOC}`,
      },
      'no-link': { kind: 'flag', doc: 'Print no link: people sign in with tokens' },
      unit: { kind: 'flag', doc: 'Serve nothing: print a systemd unit that serves so' },
      install: { kind: 'flag', doc: 'Serve nothing: put that unit where systemd finds it for this account' },
    },
    groups: [{ rule: 'most-one', of: ['unit', 'install'] }],
  }),
};
