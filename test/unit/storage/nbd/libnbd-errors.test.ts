// The error cases of libnbd's own tests (errors-server-*, shutdown, a client that dies), by libnbd with its checks switched
// off: what no honest client sends gets the errno of the protocol, and the connection goes on.
import { describe, expect, it, vi } from 'vitest';
import { isLibnbdThere, LIBNBD_DISKS, libnbd } from '../../../support/libnbd.ts';
import { type NbdFixture, nbdFixture } from '../../../support/nbd-fixture.ts';

// A Python for every script: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 120_000 });

const CONNECT = `
h.add_meta_context("base:allocation")
h.connect_uri(sys.argv[1])
size = h.get_size()
`;
/** Whatever was refused, the connection goes on. */
const GOES_ON = `
assert h.pread(512, 0) == b"\\x07" * 512
h.shutdown()
`;

const WRITABLE = `
tried("read past the end", lambda: h.pread(512, size))
tried("read across the end", lambda: h.pread(1024, size - 512))
tried("read far behind the end", lambda: h.pread(512, 2**63 - 512))
tried("write past the end", lambda: h.pwrite(b"x" * 512, size))
tried("write across the end", lambda: h.pwrite(b"x" * 1024, size - 512))
tried("zero past the end", lambda: h.zero(512, size))
tried("trim past the end", lambda: h.trim(512, size))
tried("status past the end", lambda: h.block_status(512, size, lambda *a: 0))
tried("status of nothing", lambda: h.block_status(0, 0, lambda *a: 0))
tried("read of nothing", lambda: h.pread(0, 0))
tried("write of nothing", lambda: h.pwrite(b"", 0))
tried("zero of nothing", lambda: h.zero(0, 0))
tried("trim of nothing", lambda: h.trim(0, 0))
tried("read unaligned", lambda: h.pread(511, 1))
tried("write unaligned", lambda: h.pwrite(b"x" * 511, 1))
tried("read too long", lambda: h.pread(33 * 1024 * 1024, 0))
tried("long write across the end", lambda: h.pwrite(b"x" * (20 * 1024 * 1024), size - 512))
tried("write too long", lambda: h.pwrite(b"x" * (33 * 1024 * 1024), 0))
tried("cache, never offered", lambda: h.cache(512, 0))
tried("unknown flag of a read", lambda: h.pread(512, 0, flags=0x8000))
tried("unknown flag of a flush", lambda: h.flush(flags=0x8000))
tried("one extent of a read", lambda: h.pread(512, 0, flags=nbd.CMD_FLAG_REQ_ONE))
tried("a write not to be split", lambda: h.pwrite(b"\\x07" * 512, 0, flags=nbd.CMD_FLAG_DF))
`;
const WRITABLE_ANSWERS = {
  'read past the end': 'EINVAL',
  'read across the end': 'EINVAL',
  'read far behind the end': 'EINVAL',
  'write past the end': 'ENOSPC',
  'write across the end': 'ENOSPC',
  'zero past the end': 'ENOSPC',
  'trim past the end': 'EINVAL',
  'status past the end': 'EINVAL',
  'status of nothing': 'EINVAL',
  'read of nothing': 'EINVAL',
  'write of nothing': 'EINVAL',
  'zero of nothing': 'EINVAL',
  'trim of nothing': 'EINVAL',
  'read unaligned': 'EINVAL',
  'write unaligned': 'EINVAL',
  'read too long': 'EINVAL',
  'long write across the end': 'ENOSPC',
  'write too long': 'EINVAL',
  'cache, never offered': 'EINVAL',
  'unknown flag of a read': 'EINVAL',
  'unknown flag of a flush': 'EINVAL',
  'one extent of a read': 'EINVAL',
  'a write not to be split': 'EINVAL',
};

const READ_ONLY = `
tried("write", lambda: h.pwrite(b"x" * 512, 0))
tried("write past the end", lambda: h.pwrite(b"x" * 512, size))
tried("a long write", lambda: h.pwrite(b"x" * (20 * 1024 * 1024), 0))
tried("zero", lambda: h.zero(512, 0))
tried("trim", lambda: h.trim(512, 0))
tried("flush", lambda: h.flush())
assert h.is_read_only()
`;

/** It says that it goes, and no more, with writes in flight. */
const DISCONNECTS = `
h.connect_uri(sys.argv[1])
done = []
for index in range(64):
    buffer = nbd.Buffer.from_bytearray(bytearray([1 + index]) * 65536)
    h.aio_pwrite(buffer, 16 * 1024 * 1024 + index * 65536, completion=lambda error: done.append(error.value) or 1)
assert h.aio_in_flight() > 0
h.aio_disconnect()
while not h.aio_is_closed() and not h.aio_is_dead():
    h.poll(-1)
print("told: %d of %d" % (done.count(0), len(done)))
tried("read of a closed one", lambda: h.pread(512, 0))
tried("closed again", lambda: h.shutdown())
again = nbd.NBD()
again.connect_uri(sys.argv[1])
for index in range(64):
    assert again.pread(65536, 16 * 1024 * 1024 + index * 65536) == bytes([1 + index]) * 65536
again.shutdown()
`;

/** It is gone, with writes on their way and one of them cut. */
const DIES = `
h.connect_uri(sys.argv[1])
h.pwrite(bytes([101]) * 65536, 32 * 1024 * 1024)
for index in range(1, 64):
    buffer = nbd.Buffer.from_bytearray(bytearray([101 + index]) * 65536)
    h.aio_pwrite(buffer, 32 * 1024 * 1024 + index * 65536)
os._exit(0)
`;
/** Of each write all or nothing, and of what came first nothing is missing before the last that is there. */
const AFTER_DEATH = `
h.connect_uri(sys.argv[1])
there = []
for index in range(64):
    read = h.pread(65536, 32 * 1024 * 1024 + index * 65536)
    assert read in (bytes(65536), bytes([101 + index]) * 65536)
    there.append(read[0] != 0)
assert there[0] and there == sorted(there, reverse=True)
print("goes on: %d" % h.get_size())
h.shutdown()
`;

const gone = (nbd: NbdFixture) =>
  expect.poll(() => nbd.server.connectionCount(), { timeout: 60_000 }).toBe(0);

describe.skipIf(!isLibnbdThere).each(LIBNBD_DISKS)("libnbd's error cases, on %s", (_, make) => {
  it('get the errno of the protocol, and the connection goes on', async () => {
    await using disk = await make();
    await using nbd = await nbdFixture({ disk0: disk.now });
    const answers = await libnbd(CONNECT + WRITABLE + GOES_ON, nbd.uri);
    expect(answers).toEqual(WRITABLE_ANSWERS);
    expect(nbd.bugs).toEqual([]);
  });

  it('writing to a point is EPERM', async () => {
    await using disk = await make();
    await using nbd = await nbdFixture({ disk0: disk.point });
    expect(await libnbd(CONNECT + READ_ONLY + GOES_ON, nbd.uri)).toEqual({
      write: 'EPERM',
      'write past the end': 'EPERM',
      'a long write': 'EPERM',
      zero: 'EPERM',
      trim: 'EPERM',
      flush: 'OK',
    });
    expect(nbd.bugs).toEqual([]);
  });

  it('writes that are in flight when a client says that it goes are done, and told', async () => {
    await using disk = await make();
    await using nbd = await nbdFixture({ disk0: disk.now });
    expect(await libnbd(DISCONNECTS, nbd.uri)).toEqual({
      told: '64 of 64',
      'read of a closed one': 'EINVAL',
      'closed again': 'EINVAL',
    });
    await gone(nbd);
    expect(nbd.bugs).toEqual([]);
  });

  it('of what a client sent that died, whole writes are there and nothing else', async () => {
    await using disk = await make();
    await using nbd = await nbdFixture({ disk0: disk.now });
    await libnbd(DIES, nbd.uri);
    await gone(nbd);
    expect(await libnbd(AFTER_DEATH, nbd.uri)).toEqual({ 'goes on': String(disk.now.sizeBytes) });
    expect(nbd.bugs).toEqual([]);
  });
});
