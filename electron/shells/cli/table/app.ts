// Commands about tasks, events and Ebb itself, as data.
import { row } from '../words.ts';
import { VM } from './common.ts';

const TASK = { name: 'TASK', kind: 'task', doc: 'The beginning of its id' } as const;

export const APP_ROWS = {
  'task list': row({ help: 'Tasks under way and recently ended', arguments: [], options: {} }),
  'task follow': row({
    help: 'Wait for a task, showing its steps; interrupted, the task goes on',
    arguments: [TASK],
    options: {},
  }),
  'task pause': row({
    help: 'Let a long task wait until it is told to go on, also after Ebb was restarted',
    arguments: [TASK],
    options: {},
  }),
  'task resume': row({ help: 'Let a paused task go on', arguments: [TASK], options: {} }),
  'task cancel': row({
    help: 'Ask a task to stop; it ends in a state that is whole',
    arguments: [TASK],
    options: {},
  }),
  events: row({
    help: 'What happens, as lines of JSON, until interrupted',
    arguments: [
      {
        name: 'TOPIC',
        kind: 'choice',
        choices: ['vms', 'host', 'tasks', 'ledger', 'audit', 'ranges', 'histories', 'policy', 'timeline'],
        many: true,
        doc: 'What of; without any: vms, host, tasks and ledger',
      },
    ],
    options: { vm: { ...VM, value: 'VM', doc: 'Whose timeline' } },
  }),
  doctor: row({ help: 'Check this computer', arguments: [], options: {} }),
  version: row({ help: 'Version, process and data folder of the Ebb service', arguments: [], options: {} }),
  quit: row({ help: 'End the Ebb service; refused while VMs run', arguments: [], options: {} }),
};

/** Commands that need no service. */
export const LOCAL_ROWS = {
  help: row({
    help: 'All commands, those of a group, or the words of one',
    arguments: [
      { name: 'COMMAND', kind: 'text', many: true, doc: 'The beginning of a command, or all of it' },
    ],
    options: {},
  }),
  'support bundle': row({
    help: 'Write what helps to find a mistake into one file, without names, paths and secrets: it says what it contains, and asks',
    arguments: [],
    options: {
      to: { kind: 'file', doc: 'The new file; without it ebb-support-… here' },
      yes: { kind: 'flag', doc: 'Write it without asking' },
    },
  }),
  completion: row({
    help: 'Print a script that completes words in a shell: source <(ebb completion bash)',
    arguments: [
      { name: 'SHELL', kind: 'choice', choices: ['bash', 'zsh', 'fish'], doc: 'Which shell it is for' },
    ],
    options: {},
  }),
  man: row({
    help: 'Print the manual page: ebb man | man -l -',
    arguments: [],
    options: {},
  }),
  __complete: row({
    help: 'Candidates for the last of the words, one a line',
    arguments: [{ name: 'WORD', kind: 'text', many: true, doc: 'What has been typed, after --' }],
    options: {},
    isHidden: true,
  }),
};
