// Shutting down: who is told, by what, and what a guest that is faster than our question is taken for.
import { expect, it } from 'vitest';
import type { AgentLine } from '../../../../electron/control/qga/line.ts';
import type { QmpSession } from '../../../../electron/control/qmp/session.ts';
import { powerDown } from '../../../../electron/control/vm/power-down.ts';
import { systemClock } from '../../../../electron/platform/clock.ts';
import type { ErrorCode } from '../../../../shared/errors.ts';
import { Fault } from '../../../../shared/result.ts';

const fault = (code: ErrorCode): Fault => new Fault({ code, what: code, safe: '', todo: '' });

/** What was asked of whom; `agent` null: none listens. */
async function shutDown(
  agent: 'answers' | ErrorCode | null,
  button: ErrorCode | null,
  signal = new AbortController().signal,
) {
  const asked: string[] = [];
  const line = {
    get: async () =>
      agent === null
        ? null
        : {
            ask: async (command: string) => {
              asked.push(command);
              if (agent !== 'answers') throw fault(agent);
            },
          },
  } as unknown as AgentLine;
  const qmp = {
    execute: async (command: string) => {
      asked.push(command);
      if (button !== null) throw fault(button);
    },
  } as unknown as QmpSession;
  const isOff = await powerDown({ qmp, agent: line }, systemClock, () => true, signal).catch(
    (cause: Fault) => cause.body.code,
  );
  return [isOff, ...asked];
}

it.each([
  ['an agent that answers', 'answers', null, [true, 'guest-shutdown']],
  ['one that goes down at once, and answers nothing', 'vm.timeout', null, [true, 'guest-shutdown']],
  ['one that is gone with its guest before it answers', 'vm.died', 'vm.died', [true, 'guest-shutdown']],
  ['one that refuses', 'qemu.refused', null, [true, 'guest-shutdown', 'system_powerdown']],
  [
    'one that refuses, and a QEMU that ends meanwhile',
    'qemu.refused',
    'vm.died',
    [true, 'guest-shutdown', 'system_powerdown'],
  ],
  ['no agent', null, null, [true, 'system_powerdown']],
  ['a QEMU that refuses the button', null, 'qemu.refused', ['qemu.refused', 'system_powerdown']],
] as const)('%s', async (_, agent, button, expected) => {
  expect(await shutDown(agent, button)).toEqual(expected);
});

it('a guest that is off is told as off, whoever stopped waiting for it', async () => {
  expect(await shutDown('answers', null, AbortSignal.abort())).toEqual([true, 'guest-shutdown']);
});
