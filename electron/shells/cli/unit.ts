// The systemd unit that serves browsers, as text. Pure.

/** The first line of our units: a unit that begins otherwise is somebody else's. */
export const UNIT_MARK = '# Written by `ebb serve --install`.';
const EXIT_DENIED = 77;

/** One word of a command line, quoted so that systemd expands nothing in it. */
const quoted = (word: string): string =>
  `"${word
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    // An unescaped line break would begin another setting.
    .replace(/\p{Cc}/gu, char => encodeURIComponent(char).replaceAll('%', '\\x'))}"`;

export const unitText = (command: readonly string[]): string =>
  [
    UNIT_MARK,
    '[Unit]',
    'Description=Ebb in a browser',
    '',
    '[Service]',
    `ExecStart=${command.map(quoted).join(' ')}`,
    '# VMs and the services behind them run on when this ends.',
    'KillMode=process',
    'Restart=on-failure',
    'RestartSec=5',
    '# A policy forbids it: trying again changes nothing.',
    `RestartPreventExitStatus=${EXIT_DENIED}`,
    'UMask=0077',
    'NoNewPrivileges=yes',
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ].join('\n');
