// The error cases of libnbd's own tests (errors-server-*), by libnbd with its checks switched off: what no honest client
// sends gets the errno of the protocol, and the connection goes on.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryVolume } from '../../../support/memory-volume.ts';
import { nbdFixture } from '../../../support/nbd-fixture.ts';

const run = promisify(execFile);
const MIB = 1 << 20;

/** The module is Debian's, so the interpreter is too. */
const PYTHON = '/usr/bin/python3';
const isThere = spawnSync(PYTHON, ['-c', 'import nbd']).status === 0;
if (!isThere) console.log('SKIPPED: python3-libnbd is not installed; run npm test, which installs it');

const script = (lines: string): string => `
import errno, nbd, sys
h = nbd.NBD()
h.set_strict_mode(0)
h.add_meta_context("base:allocation")
h.connect_uri(sys.argv[1])
size = h.get_size()
def refused(what, call):
    try:
        call()
    except nbd.Error as e:
        print(what + " " + str(e.errno))
    else:
        print(what + " accepted")
${lines}
assert h.pread(512, 0) == b"\\x07" * 512
h.shutdown()
`;

const WRITABLE = `
refused("read past the end", lambda: h.pread(512, size))
refused("read across the end", lambda: h.pread(1024, size - 512))
refused("write past the end", lambda: h.pwrite(b"x" * 512, size))
refused("zero past the end", lambda: h.zero(512, size))
refused("trim past the end", lambda: h.trim(512, size))
refused("status past the end", lambda: h.block_status(512, size, lambda *a: 0))
refused("read of nothing", lambda: h.pread(0, 0))
refused("read unaligned", lambda: h.pread(511, 1))
refused("write unaligned", lambda: h.pwrite(b"x" * 511, 1))
refused("read too long", lambda: h.pread(33 * 1024 * 1024, 0))
refused("cache, never offered", lambda: h.cache(512, 0))
refused("unknown flag", lambda: h.pread(512, 0, flags=0x8000))
refused("one extent of a read", lambda: h.pread(512, 0, flags=nbd.CMD_FLAG_REQ_ONE))
`;

const READ_ONLY = `
refused("write", lambda: h.pwrite(b"x" * 512, 0))
refused("zero", lambda: h.zero(512, 0))
refused("trim", lambda: h.trim(512, 0))
`;

async function answers(lines: string, volume: MemoryVolume): Promise<Record<string, string>> {
  volume.bytes.fill(7, 0, 512);
  await using nbd = await nbdFixture({ disk0: volume });
  const { stdout } = await run(PYTHON, ['-c', script(lines), nbd.uri]);
  expect(nbd.bugs).toEqual([]);
  const rows = stdout.trim().split('\n');
  return Object.fromEntries(
    rows.map(row => [row.slice(0, row.lastIndexOf(' ')), row.slice(row.lastIndexOf(' ') + 1)]),
  );
}

describe.skipIf(!isThere)("libnbd's error cases", () => {
  it('get the errno of the protocol, and the connection goes on', async () => {
    expect(await answers(WRITABLE, new MemoryVolume(64 * MIB))).toMatchInlineSnapshot(`
      {
        "cache, never offered": "EINVAL",
        "one extent of a read": "EINVAL",
        "read across the end": "EINVAL",
        "read of nothing": "EINVAL",
        "read past the end": "EINVAL",
        "read too long": "EINVAL",
        "read unaligned": "EINVAL",
        "status past the end": "EINVAL",
        "trim past the end": "EINVAL",
        "unknown flag": "EINVAL",
        "write past the end": "ENOSPC",
        "write unaligned": "EINVAL",
        "zero past the end": "ENOSPC",
      }
    `);
  });

  it('writing to a point is EPERM', async () => {
    expect(await answers(READ_ONLY, new MemoryVolume(MIB, true))).toMatchInlineSnapshot(`
      {
        "trim": "EPERM",
        "write": "EPERM",
        "zero": "EPERM",
      }
    `);
  });
});
