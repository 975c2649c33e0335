// Ten megabytes of seeded, mutated client bytes: whatever comes, the server answers or closes, its volume
// holds exactly what an independent reader of the same bytes says was written, and it goes on serving.
import { describe, expect, it } from 'vitest';
import { MemoryVolume } from '../../../support/memory-volume.ts';
import { goData, metaData, NbdClient, u32 } from '../../../support/nbd-client.ts';
import { type NbdFixture, nbdFixture } from '../../../support/nbd-fixture.ts';
import { Seeded } from '../../../support/seeded.ts';

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

function requestBytes(random: Seeded, index: number): Buffer {
  const command = random.pick([0, 1, 1, 3, 4, 6, 7]);
  const length = command === 3 ? 0 : 512 * (1 + random.below(16));
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(random.pick([0, 0, 1]), 4);
  header.writeUInt16BE(command, 6);
  header.writeBigUInt64BE(BigInt(index), 8);
  header.writeUInt32BE(command === 3 ? 0 : 512 * random.below(SIZE / 512 - 16), 20);
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

const FLAGS: Readonly<Record<number, number>> = { 0: 5, 1: 1, 3: 1, 4: 1, 6: 19, 7: 9 };

/** What these bytes do to a disk, read by the specification and independently of the server. */
function interpret(bytes: Buffer, disk: Buffer): void {
  for (let at = 0; at + 28 <= bytes.length; ) {
    if (bytes.readUInt32BE(at) !== 0x25609513) return;
    const [flags, command] = [bytes.readUInt16BE(at + 4), bytes.readUInt16BE(at + 6)];
    const [offset, length] = [Number(bytes.readBigUInt64BE(at + 16)), bytes.readUInt32BE(at + 24)];
    if (command === 2) return;
    at += 28;
    const isFine =
      (flags & ~(FLAGS[command] ?? 0)) === 0 &&
      length > 0 &&
      offset % 512 === 0 &&
      length % 512 === 0 &&
      offset + length <= SIZE;
    if (command === 1) {
      if (length > 64 << 20 || at + length > bytes.length) return;
      if (isFine) bytes.copy(disk, offset, at, at + length);
      at += length;
    }
    if ((command === 4 || command === 6) && isFine) {
      // A fast zero changes nothing: it is granted only where zeros are already.
      if ((flags & 16) === 0) disk.fill(0, offset, offset + length);
    }
  }
}

/** Sends all, half-closes, waits for the server to close. */
async function throwAt(nbd: NbdFixture, bytes: Buffer, isPastHandshake: boolean): Promise<void> {
  const client = isPastHandshake
    ? await NbdClient.open(nbd.socketPath, '', true)
    : await NbdClient.dial(nbd.socketPath);
  client.send(bytes);
  client.socket.end();
  await client.closed();
}

describe('mutated NBD clients', () => {
  it(`get an answer or a closed connection for ${BYTES_WANTED} bytes, seed ${SEED}`, async () => {
    const random = new Seeded(SEED);
    const volume = new MemoryVolume(SIZE);
    const model = Buffer.alloc(SIZE);
    await using nbd = await nbdFixture({ disk0: volume });
    let sent = 0;
    let rounds = 0;
    for (let round = 0; sent < BYTES_WANTED || round < ROUNDS_MIN; round++) {
      const requests = Buffer.concat(
        Array.from({ length: 4 + random.below(8) }, (_, index) => requestBytes(random, index)),
      );
      const isPastHandshake = round % 4 !== 0;
      const bytes = mutate(isPastHandshake ? requests : handshake(), random);
      sent += bytes.length;
      rounds += 1;
      await throwAt(nbd, bytes, isPastHandshake);
      if (isPastHandshake) interpret(bytes, model);
      expect(nbd.bugs, `seed ${SEED}, round ${round}`).toEqual([]);
      expect(volume.bytes.equals(model), `seed ${SEED}, round ${round}`).toBe(true);
    }
    const honest = await NbdClient.open(nbd.socketPath);
    expect((await honest.call({ command: 0, length: SIZE })).data.equals(model)).toBe(true);
    honest.close();
    console.log(`mutated clients: seed ${SEED}, ${sent} bytes, ${rounds} connections`);
  });
});
