// Ten megabytes of seeded, mutated client bytes: whatever comes, every request in it gets one answer, a proper error or
// exactly what an independent reader of the same bytes says; so is what the volume holds, and the server goes on.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import type { DiskId, VmId } from '../../../../shared/ids.ts';
import { MemoryVolume } from '../../../support/memory-volume.ts';
import { goData, metaData, NbdClient, u32 } from '../../../support/nbd-client.ts';
import { type NbdFixture, nbdFixture } from '../../../support/nbd-fixture.ts';
import { interpret, wrongGreetings, wrongReplies } from '../../../support/nbd-replies.ts';
import { Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const SIZE = 256 * 1024;
const BYTES_WANTED = 10_000_000;
const ROUNDS_MIN = 1500;
const SEED = Number(process.env.EBB_SEED ?? 20261123);

const option = (number: number, data: Uint8Array = Buffer.alloc(0)): Buffer =>
  Buffer.concat([Buffer.from('IHAVEOPT'), u32(number), u32(data.length), data]);
const handshake = (): Buffer =>
  Buffer.concat([
    u32(3),
    option(8),
    option(3),
    option(9, metaData('', [])),
    option(10, metaData('', ['base:allocation'])),
    option(6, goData('')),
    option(7, goData('')),
  ]);

function requestBytes(random: Seeded, index: number, sizeBytes: number): Buffer {
  const command = random.pick([0, 1, 1, 3, 4, 6, 7]);
  const length = command === 3 ? 0 : 512 * (1 + random.below(16));
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(random.pick([0, 0, 1]), 4);
  header.writeUInt16BE(command, 6);
  header.writeBigUInt64BE(BigInt(index), 8);
  header.writeUInt32BE(command === 3 ? 0 : 512 * random.below(sizeBytes / 512 - 16), 20);
  header.writeUInt32BE(length, 24);
  return command === 1 ? Buffer.concat([header, Buffer.alloc(length, 1 + random.below(255))]) : header;
}

/** Flips, overwrites, removes, repeats or inserts a few bytes, or cuts the end off. */
function mutate(bytes: Buffer, random: Seeded): Buffer {
  let out = Buffer.from(bytes);
  for (let count = random.below(4); count >= 0; count--) {
    // Half of them early, where a header is.
    const at = random.below(random.below(2) === 0 ? Math.min(out.length, 100) : out.length);
    const span = random.below(40);
    switch (random.below(6)) {
      case 0:
        out[at] = (out[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        out[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + span)]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at + span), out.subarray(at)]);
        break;
      case 4:
        out = Buffer.concat([out.subarray(0, at), u32(random.next()), out.subarray(at)]);
        break;
      default:
        out = out.subarray(0, Math.max(8, at));
    }
  }
  return out;
}

/** Sends all, half-closes, waits for the server to close; answers all that it said after a handshake, or from the start. */
async function throwAt(nbd: NbdFixture, bytes: Buffer, isPastHandshake: boolean): Promise<Buffer> {
  const client = isPastHandshake
    ? await NbdClient.open(nbd.socketPath, '', true)
    : await NbdClient.dial(nbd.socketPath);
  client.send(bytes);
  client.socket.end();
  await client.closed();
  return client.rest();
}

interface Thrown {
  readonly bytes: number;
  readonly connections: number;
  readonly replies: number;
}

/** Throws mutated bytes at a disk until they are enough; every answer is looked at, and after each what the disk holds. */
async function throwAll(
  nbd: NbdFixture,
  sizeBytes: number,
  held: () => Buffer,
  wanted: { readonly bytes: number; readonly rounds: number; readonly trimUnit: number },
): Promise<Thrown> {
  const random = new Seeded(SEED);
  const model = Buffer.alloc(sizeBytes);
  let [sent, rounds, replies] = [0, 0, 0];
  for (let round = 0; sent < wanted.bytes || round < wanted.rounds; round++) {
    const requests = Buffer.concat(
      Array.from({ length: 4 + random.below(8) }, (_, index) => requestBytes(random, index, sizeBytes)),
    );
    const isPastHandshake = round % 4 !== 0;
    const bytes = mutate(isPastHandshake ? requests : handshake(), random);
    sent += bytes.length;
    rounds += 1;
    const received = await throwAt(nbd, bytes, isPastHandshake);
    const asked = isPastHandshake ? interpret(bytes, model, wanted.trimUnit) : [];
    replies += asked.length;
    const wrong = isPastHandshake ? wrongReplies(received, asked) : wrongGreetings(received);
    expect(wrong, `seed ${SEED}, round ${round}`).toEqual([]);
    expect(nbd.bugs, `seed ${SEED}, round ${round}`).toEqual([]);
    expect(held().equals(model), `seed ${SEED}, round ${round}`).toBe(true);
  }
  const honest = await NbdClient.open(nbd.socketPath);
  expect((await honest.call({ command: 0, length: sizeBytes })).data.equals(model)).toBe(true);
  honest.close();
  return { bytes: sent, connections: rounds, replies };
}

describe('mutated NBD clients', () => {
  const say = (what: string, { bytes, connections, replies }: Thrown): void =>
    console.log(
      `mutated clients, ${what}: seed ${SEED}, ${bytes} bytes, ${connections} connections, ${replies} answers`,
    );

  it(`get right answers and a closed connection for ${BYTES_WANTED} bytes, seed ${SEED}`, async () => {
    const volume = new MemoryVolume(SIZE);
    await using nbd = await nbdFixture({ disk0: volume });
    const wanted = { bytes: BYTES_WANTED, rounds: ROUNDS_MIN, trimUnit: 1 };
    say('a disk in memory', await throwAll(nbd, SIZE, () => volume.bytes, wanted));
  });

  it('T4: and so on a disk of ours, where a tenth of them is thrown', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-mut-'));
    const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
    const engine = await openVmFolder(vmId, folder, { turn }, { autoSettle: false });
    try {
      await engine.createDisk(diskId, SIZE);
      const volume = engine.volume(diskId);
      const held = Buffer.alloc(volume.sizeBytes);
      const look = (): Buffer => {
        volume.read(held, 0);
        return held;
      };
      await using nbd = await nbdFixture({ disk0: volume });
      const wanted = { bytes: BYTES_WANTED / 10, rounds: ROUNDS_MIN / 10, trimUnit: 4096 };
      say('a disk of ours', await throwAll(nbd, volume.sizeBytes, look, wanted));
    } finally {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
