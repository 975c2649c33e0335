// `ebb vm serial`: a VM's serial line in this terminal. Control filters out commands to a terminal.
import { Fault } from '../../../shared/result.ts';
import { systemClock } from '../../platform/clock.ts';
import { interrupted, typedInput, writeOut } from '../../platform/standard-streams.ts';
import { SerialOutput, SerialTyping } from './serial-streams.ts';
import { type Run, theVm } from './session.ts';
import type { VM_ROWS } from './table/vms.ts';

/** Ctrl+], as in telnet. */
const LEAVE = 0x1d;
/** Time for the guest to take what was typed just before Ctrl+]. */
const LEAVE_MS = 1_000;
/** Resets colours, character set, margins, cursor, wrapping, cursor keys, other screen, bracketed paste. */
const AS_BEFORE =
  '\u001b[0m\u001b(B\u000f\u001b[r\u001b[?25h\u001b[?7h\u001b[?1l\u001b[?1049l\u001b[?2004l\r\n';

type How = 'left' | 'ended';
const say = (words: string): void => console.error(`ebb: ${words}`);

export const serialVm: Run<(typeof VM_ROWS)['vm serial']> = async session => {
  const { spec } = await theVm(session);
  const { client } = session;
  const vmId = spec.id;
  const isShown = process.stdout.isTTY === true;
  const isTyped = process.stdin.isTTY === true;
  let giveBack = (): void => undefined;
  const how = await new Promise<How>((resolve, reject) => {
    const output = new SerialOutput(writeOut, say);
    client.subscribe(
      'serial',
      vmId,
      ({ base64, end }) => {
        output.put(Buffer.from(base64, 'base64')).then(() => end && resolve('ended'), reject);
      },
      error => reject(new Fault(error)),
    );
    const typing = new SerialTyping(
      base64 => client.call('console.send', { vmId, of: 'serial', base64 }),
      systemClock,
    );
    const type = async (bytes: Buffer): Promise<void> => {
      if (!isTyped) return typing.type(bytes);
      const at = bytes.indexOf(LEAVE);
      // At a terminal the key that leaves works even while typed bytes still wait.
      const typed = typing.take(at < 0 ? bytes : bytes.subarray(0, at));
      if (typed === null) return say('The guest does not read what is typed: the last of it was dropped.');
      typed.catch(reject);
      if (at < 0) return;
      systemClock.after(LEAVE_MS, () => resolve('left'));
      await typed;
      resolve('left');
    };
    client.call('console.open', { vmId, of: 'serial' }).then(() => {
      if (isTyped) console.error(`The serial line of ${spec.name}. Ctrl+] leaves it.`);
      giveBack = typedInput(type, reject);
    }, reject);
    void interrupted().then(() => resolve('left'));
  }).finally(() => {
    giveBack();
    if (isShown) process.stdout.write(AS_BEFORE);
  });
  if (how === 'left') await client.call('console.close', { vmId, of: 'serial' }).catch(() => undefined);
  if (process.stdin.isTTY)
    console.error(how === 'left' ? `Left; ${spec.name} runs on.` : `${spec.name} ended.`);
  return { text: null, json: null };
};
