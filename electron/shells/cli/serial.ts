// `ebb vm serial`: a VM's serial line in this terminal. Control leaves out what a terminal would obey.
import { Fault } from '../../../shared/result.ts';
import { interrupted, typedInput, writeOut } from '../../platform/standard-streams.ts';
import { type Run, theVm } from './session.ts';
import type { VM_ROWS } from './table/vms.ts';

/** Ctrl+], as of old. */
const LEAVE = 0x1d;
const PIECE_BYTES = 16 * 1024;
/** Colours, character set, margins, cursor, cursor keys, the other screen, marked paste: as they were. */
const AS_BEFORE =
  '\u001b[0m\u001b(B\u000f\u001b[r\u001b[?25h\u001b[?7h\u001b[?1l\u001b[?1049l\u001b[?2004l\r\n';

type How = 'left' | 'ended';

export const serialVm: Run<(typeof VM_ROWS)['vm serial']> = async session => {
  const { spec } = await theVm(session);
  const { client } = session;
  const vmId = spec.id;
  const isShown = process.stdout.isTTY === true;
  let giveBack = (): void => undefined;
  const how = await new Promise<How>((resolve, reject) => {
    client.subscribe(
      'serial',
      vmId,
      ({ base64, end }) => {
        writeOut(Buffer.from(base64, 'base64')).then(() => end && resolve('ended'), reject);
      },
      error => reject(new Fault(error)),
    );
    const type = async (bytes: Buffer): Promise<void> => {
      const at = process.stdin.isTTY ? bytes.indexOf(LEAVE) : -1;
      const sent = at < 0 ? bytes : bytes.subarray(0, at);
      for (let from = 0; from < sent.length; from += PIECE_BYTES) {
        const base64 = sent.subarray(from, from + PIECE_BYTES).toString('base64');
        await client.call('console.send', { vmId, of: 'serial', base64 });
      }
      if (at >= 0) resolve('left');
    };
    client.call('console.open', { vmId, of: 'serial' }).then(() => {
      if (process.stdin.isTTY) console.error(`The serial line of ${spec.name}. Ctrl+] leaves it.`);
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
