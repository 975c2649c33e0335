// `ebb serve`: runs the browser gateway in our place, or writes the systemd unit that keeps it running.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultDataFolder } from '../../platform/paths.ts';
import { nodeProgram, runInOurPlace } from '../../platform/process.ts';
import { putUserUnit } from '../../platform/unit-file.ts';
import { siblingModule } from '../../platform/worker-thread.ts';
import type { Output } from './session.ts';
import type { LOCAL_ACCESS_ROWS } from './table/access.ts';
import { UNIT_MARK, unitText } from './unit.ts';
import type { Given } from './words.ts';

type Asked = Given<(typeof LOCAL_ACCESS_ROWS)['serve']>;

const UNIT = 'ebb.service';

/** The options in the form the gateway (headless/main.ts) reads. */
export function gatewayArgs(given: Asked, data: string): string[] {
  const { port, host, tls, cert, key, role } = given;
  return [
    ...['--data', data, '--port', String(port), '--host', host, '--role', role],
    ...(tls ? ['--tls'] : []),
    ...(cert === undefined ? [] : ['--cert', resolve(cert)]),
    ...(key === undefined ? [] : ['--key', resolve(key)]),
    ...given.name.flatMap(name => ['--name', name]),
    ...(given['no-link'] ? ['--no-link'] : []),
  ];
}

export async function serveBrowsers(given: Asked): Promise<Output> {
  const program = [nodeProgram(), fileURLToPath(siblingModule(import.meta.url, '../headless/main'))];
  const isUnit = given.unit || given.install;
  // The unit's output goes to a log that others may read: no sign-in link may stand there.
  const asked = isUnit ? { ...given, 'no-link': true } : given;
  const command = [...program, ...gatewayArgs(asked, defaultDataFolder())];
  if (given.unit) return { text: unitText(command).trimEnd(), json: unitText(command) };
  if (given.install) return install(unitText(command));
  const [node = '', ...args] = command;
  return { text: null, json: null, exit: await runInOurPlace(node, args) };
}

function install(text: string): Output {
  const path = putUserUnit(UNIT, text, UNIT_MARK);
  const todo = [
    'systemctl --user daemon-reload',
    `systemctl --user enable --now ${UNIT}`,
    // Without lingering the unit ends when its account signs out.
    'loginctl enable-linger',
  ];
  return {
    text: `Written: ${path}\nThen:\n${todo.map(line => `  ${line}`).join('\n')}`,
    json: { path, todo },
  };
}
