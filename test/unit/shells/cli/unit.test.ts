// The systemd unit: read by systemd itself where it is, by its text everywhere.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { putUserUnit } from '../../../../electron/platform/unit-file.ts';
import { UNIT_MARK, unitText } from '../../../../electron/shells/cli/unit.ts';

const folder = mkdtempSync(join(tmpdir(), 'ebb-unit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ODD = '/home/an a/%h$HOME"q\\\nExecStartPre=/bin/id\u0085';
const text = unitText([process.execPath, '/opt/ebb/main.js', '--data', ODD, '--no-link']);

it('keeps what runs behind it, begins again but not where it is forbidden, and expands nothing', () => {
  expect(text.startsWith(UNIT_MARK)).toBe(true);
  expect(text).toMatch(/^KillMode=process$/m);
  expect(text).toMatch(/^Restart=on-failure$/m);
  expect(text).toMatch(/^RestartPreventExitStatus=77$/m);
  expect(text).toMatch(/^WantedBy=default\.target$/m);
  expect(text).toContain('"/home/an a/%%h$$HOME\\"q\\\\\\x0AExecStartPre=/bin/id\\xC2\\x85"');
  expect(text).not.toMatch(/token/i);
});

it('systemd reads it without complaint', () => {
  const program = '/usr/bin/systemd-analyze';
  if (!existsSync(program))
    return console.log('systemd-analyze is not here: the unit was judged by its text');
  const path = join(folder, 'ebb.service');
  writeFileSync(path, text);
  const said = execFileSync(program, ['--user', 'verify', path], {
    encoding: 'utf8',
    env: { ...process.env, XDG_RUNTIME_DIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(said).toBe('');
  writeFileSync(
    path,
    text.replace('KillMode=process', 'KillMode=nonsense').replace('ExecStart=', 'ExecStart=no'),
  );
  expect(() =>
    execFileSync(program, ['--user', 'verify', path], {
      env: { ...process.env, XDG_RUNTIME_DIR: folder },
      stdio: 'pipe',
    }),
  ).toThrow();
});

it("is put where systemd finds it, over its own and never over another's", () => {
  const env = { XDG_CONFIG_HOME: folder };
  const path = putUserUnit('ebb.service', text, UNIT_MARK, env);
  expect(path).toBe(join(folder, 'systemd/user/ebb.service'));
  putUserUnit('ebb.service', `${text}\n`, UNIT_MARK, env);
  expect(readFileSync(path, 'utf8')).toBe(`${text}\n`);
  writeFileSync(path, '[Unit]\n');
  expect(() => putUserUnit('ebb.service', text, UNIT_MARK, env)).toThrow('host.permission');
  rmSync(path);
  writeFileSync(join(folder, 'elsewhere'), text);
  symlinkSync(join(folder, 'elsewhere'), path);
  expect(() => putUserUnit('ebb.service', text, UNIT_MARK, env)).toThrow('host.permission');
});
