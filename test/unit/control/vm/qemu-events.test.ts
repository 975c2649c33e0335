// What QEMU says of a guest's channels, in the words of the state machine.
import { expect, it } from 'vitest';
import { onQemuEvent } from '../../../../electron/control/vm/qemu-events.ts';
import type { VmEvent } from '../../../../electron/control/vm/state.ts';

function heard(events: readonly (readonly [string, Record<string, unknown>])[]): VmEvent['kind'] | undefined {
  const fed: VmEvent['kind'][] = [];
  const channels = new Set<string>();
  const nothing = (): void => undefined;
  for (const [name, data] of events)
    onQemuEvent(name, data, {
      phase: 'running',
      isAtBarrier: false,
      channels,
      feed: ({ kind }) => fed.push(kind),
      tell: nothing,
      endsItself: nothing,
      diskFailed: nothing,
    });
  return fed.at(-1);
}
const port = (id: string, open: boolean) => ['VSERPORT_CHANGE', { id, open }] as const;

it('a guest is up while anybody in it listens, whatever is said of a channel nobody opened', () => {
  expect(heard([port('agentport', true), port('qgaport', false)])).toBe('guest-up');
  expect(heard([port('qgaport', false), port('agentport', true)])).toBe('guest-up');
  expect(heard([port('agentport', true), port('qgaport', true), port('agentport', false)])).toBe('guest-up');
  expect(heard([port('agentport', true), port('agentport', false)])).toBe('guest-down');
  expect(heard([port('agentport', true), ['RESET', {}], port('qgaport', false)])).toBe('guest-down');
});
