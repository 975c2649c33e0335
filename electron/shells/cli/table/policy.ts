// Commands about IT policy, as data.
import { POLICY_KEY_NAMES } from '../../../../shared/policy/keys.ts';
import { row } from '../words.ts';

export const POLICY_ROWS = {
  'policy show': row({
    help: 'What IT set for this computer, and whether its files are in force',
    arguments: [],
    options: { all: { kind: 'flag', doc: 'Also the keys nobody set' } },
  }),
  'policy explain': row({
    help: 'What is in force of a key, who set it, and whom that beat',
    arguments: [{ name: 'KEY', kind: 'choice', choices: POLICY_KEY_NAMES, doc: 'Like memory.vm.max' }],
    options: {},
  }),
};

/** Commands that need no service. */
export const LOCAL_POLICY_ROWS = {
  'policy validate': row({
    help: 'Look whether a policy file would be understood, and trusted where it is; 1 where not',
    arguments: [{ name: 'FILE', kind: 'file', doc: 'A policy file, wherever it is' }],
    options: {
      recommended: { kind: 'flag', doc: 'As a file of what is recommended, not of what is managed' },
    },
  }),
  'policy schema': row({
    help: 'Print the JSON Schema of policy files',
    arguments: [],
    options: {},
  }),
};
