// What libnbd's own tests ask before the data phase (opt-abort, opt-list, opt-info, opt-list-meta, opt-set-meta, starttls),
// what follows from what was agreed there (structured replies, DF, meta contexts), and names as long as they get.
import { describe, expect, it, vi } from 'vitest';
import { isLibnbdThere, LIBNBD_DISK_BYTES, LIBNBD_DISKS, libnbd } from '../../../support/libnbd.ts';
import { NbdClient, u32 } from '../../../support/nbd-client.ts';
import { nbdFixture } from '../../../support/nbd-fixture.ts';

// A Python for every script: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 120_000 });

const NAME_BYTES_MAX = 4096;
const ERR_UNKNOWN = 0x8000_0006;
const ERR_INVALID = 0x8000_0003;

const NEGOTIATE = `
h.set_opt_mode(True)
h.set_strict_mode(nbd.STRICT_MASK)
h.connect_unix(sys.argv[1])
`;

const ABORT = `${NEGOTIATE}
assert h.aio_is_negotiating()
h.opt_abort()
print("closed: %s" % h.aio_is_closed())
tried("size", lambda: h.get_size())
tried("aborted again", lambda: h.opt_abort())
`;

const LIST = `${NEGOTIATE}
found = []
print("count: %d" % h.opt_list(lambda name, description: found.append(name)))
print("names: %s" % ",".join(found))
print("again: %d" % h.opt_list(lambda name, description: 0))
h.set_export_name("other")
h.opt_go()
print("read-only: %s" % h.is_read_only())
h.shutdown()
`;

const INFO = `${NEGOTIATE}
h.set_full_info(True)
tried("size before", lambda: h.get_size())
h.set_export_name("nobody's")
tried("info of an unknown export", lambda: h.opt_info())
tried("its size", lambda: h.get_size())
tried("going to an unknown export", lambda: h.opt_go())
h.set_export_name("")
tried("info of no name among two", lambda: h.opt_info())
h.set_export_name("other")
h.opt_info()
print("other: %d %s %s" % (h.get_size(), h.is_read_only(), h.get_canonical_export_name()))
h.set_export_name("disk0")
h.opt_info()
print("disk0: %d %s %s" % (h.get_size(), h.is_read_only(), h.get_canonical_export_name()))
print("blocks: %d %d" % (h.get_block_size(nbd.SIZE_MINIMUM), h.get_block_size(nbd.SIZE_MAXIMUM)))
h.opt_go()
tried("an option afterwards", lambda: h.opt_info())
assert h.pread(512, 0) == b"\\x07" * 512
h.shutdown()
`;

const META = `${NEGOTIATE}
h.set_export_name("disk0")
def listed(what):
    found = []
    h.opt_list_meta_context(lambda name: found.append(name))
    print(what + ": " + ",".join(found))
listed("all")
h.add_meta_context("base:")
listed("of base")
h.clear_meta_contexts()
h.add_meta_context("x-nobody:knows")
listed("unknown")
h.clear_meta_contexts()
h.add_meta_context("base:nobody-knows")
listed("unknown of base")
h.set_export_name("nobody's")
tried("of an unknown export", lambda: h.opt_list_meta_context(lambda name: 0))
h.set_export_name("disk0")
h.opt_go()
print("granted: %s" % h.can_meta_context("base:nobody-knows"))
h.set_strict_mode(0)
tried("status without one", lambda: h.block_status(512, 0, lambda *a: 0))
assert h.pread(512, 0) == b"\\x07" * 512
h.shutdown()
`;

const MIXED = `
h.set_export_name("disk0")
for name in ("x-nobody:knows", "base:allocation", "base:nobody-knows"):
    h.add_meta_context(name)
h.connect_unix(sys.argv[1])
print("granted: %s" % [h.can_meta_context(n) for n in ("x-nobody:knows", "base:allocation", "base:nobody-knows")])
found = set()
h.block_status(65536, 0, lambda context, *a: found.add(context) or 0)
print("told of: %s" % ",".join(sorted(found)))
h.shutdown()
`;

/** Data, a hole, data, a hole: in chunks where they may be, in one where they may not, and never without agreeing on it. */
const STRUCTURED = `
h.set_export_name("disk0")
h.connect_unix(sys.argv[1])
at, length = 40 * 1024 * 1024, 4 * 1024 * 1024
h.zero(length, at)
h.pwrite(b"\\x05" * 65536, at)
h.pwrite(b"\\x06" * 65536, at + 2 * 1024 * 1024)
expected = h.pread(length, at)
assert expected[:65536] == b"\\x05" * 65536 and expected[65536:2 * 1024 * 1024] == bytes(2 * 1024 * 1024 - 65536)
print("structured: %s" % h.get_structured_replies_negotiated())
print("DF offered: %s" % h.can_df())
def chunks(flags):
    seen, count = bytearray(b"\\xee" * length), []
    def chunk(data, offset, status, error):
        assert error.value == 0
        count.append(status)
        if status == nbd.READ_DATA:
            seen[offset - at:offset - at + len(data)] = data
        elif status == nbd.READ_HOLE:
            seen[offset - at:offset - at + len(data)] = bytes(len(data))
    h.pread_structured(length, at, chunk, flags)
    assert bytes(seen) == expected
    return len(count)
assert chunks(0) >= 1
print("with DF: %d" % chunks(nbd.CMD_FLAG_DF))
h.shutdown()
simple = nbd.NBD()
simple.set_strict_mode(0)
simple.set_request_structured_replies(False)
simple.add_meta_context("base:allocation")
simple.set_export_name("disk0")
simple.connect_unix(sys.argv[1])
print("simple: %s" % simple.get_structured_replies_negotiated())
print("DF offered then: %s" % simple.can_df())
assert simple.pread(length, at) == expected
h = simple
tried("DF all the same", lambda: h.pread(512, 0, flags=nbd.CMD_FLAG_DF))
tried("status all the same", lambda: h.block_status(512, 0, lambda *a: 0))
assert h.pread(length, at) == expected
h.shutdown()
`;

const TLS = `
h.set_export_name("disk0")
h.set_tls(nbd.TLS_REQUIRE if sys.argv[2] == "require" else nbd.TLS_ALLOW)
tried("connecting", lambda: h.connect_unix(sys.argv[1]))
if h.aio_is_ready():
    print("encrypted: %s" % h.get_tls_negotiated())
    assert h.pread(512, 0) == b"\\x07" * 512
    h.shutdown()
`;

/** Old ways to agree: no fixed newstyle, no NO_ZEROES; then EXPORT_NAME alone is said, which cannot be refused but by closing. */
const LIMITED = `
h.set_handshake_flags(0)
h.set_export_name(sys.argv[2])
tried("connecting", lambda: h.connect_unix(sys.argv[1]))
if h.aio_is_ready():
    print("protocol: %s" % h.get_protocol())
    assert h.pread(512, 0) == b"\\x07" * 512
    h.shutdown()
`;

const NAMES = `
for name in sys.argv[2:]:
    h = nbd.NBD()
    h.set_export_name(name)
    h.connect_unix(sys.argv[1])
    print("%d bytes: %d" % (len(name.encode()), h.get_size()))
    h.shutdown()
h = nbd.NBD()
h.set_export_name("n" * ${NAME_BYTES_MAX})
tried("as long, and unknown", lambda: h.connect_unix(sys.argv[1]))
tried("longer", lambda: h.set_export_name("n" * ${NAME_BYTES_MAX + 1}))
`;

describe.skipIf(!isLibnbdThere).each(LIBNBD_DISKS)("libnbd's options, on %s", (_, make) => {
  const MIB = 1 << 20;
  const asked = async (script: string, ...more: string[]): Promise<Record<string, string>> => {
    await using disk = await make();
    await using nbd = await nbdFixture({ disk0: disk.now, other: disk.point });
    const answers = await libnbd(script, nbd.socketPath, ...more);
    expect(nbd.bugs).toEqual([]);
    await expect.poll(() => nbd.server.connectionCount(), { timeout: 60_000 }).toBe(0);
    return answers;
  };

  it('an aborted negotiation is closed', async () => {
    expect(await asked(ABORT)).toEqual({ closed: 'True', size: 'EINVAL', 'aborted again': 'EINVAL' });
  });

  it('exports are listed, as often as asked, and one of them chosen', async () => {
    expect(await asked(LIST)).toEqual({ count: '2', names: 'disk0,other', again: '2', 'read-only': 'True' });
  });

  it('of an unknown export nothing is told, and of others all, before one is chosen', async () => {
    expect(await asked(INFO)).toEqual({
      'size before': 'EINVAL',
      'info of an unknown export': 'ENOENT',
      'its size': 'EINVAL',
      'going to an unknown export': 'ENOENT',
      'info of no name among two': 'ENOENT',
      other: `${LIBNBD_DISK_BYTES} True other`,
      disk0: `${LIBNBD_DISK_BYTES} False disk0`,
      blocks: `512 ${32 * MIB}`,
      'an option afterwards': 'EINVAL',
    });
  });

  it('contexts nobody knows are not listed and not granted', async () => {
    expect(await asked(META)).toEqual({
      all: 'base:allocation',
      'of base': 'base:allocation',
      unknown: '',
      'unknown of base': '',
      // libnbd's word for whatever was refused; that it is ERR_UNKNOWN: negotiation.test.ts.
      'of an unknown export': 'ENOTSUP',
      granted: 'False',
      'status without one': 'EINVAL',
    });
    expect(await asked(MIXED)).toEqual({ granted: '[False, True, False]', 'told of': 'base:allocation' });
  });

  it('DF and contexts go with structured replies alone', async () => {
    expect(await asked(STRUCTURED)).toEqual({
      structured: 'True',
      'DF offered': 'True',
      'with DF': '1',
      simple: 'False',
      'DF offered then': 'False',
      'DF all the same': 'EINVAL',
      'status all the same': 'EINVAL',
    });
  });

  it('TLS is not to be had: who only prefers it goes on without, who insists is told', async () => {
    expect(await asked(TLS, 'allow')).toEqual({ connecting: 'OK', encrypted: 'False' });
    expect(await asked(TLS, 'require')).toEqual({ connecting: 'ENOTSUP' });
  });

  it('the oldest way to agree is understood, and an unknown name ends it', async () => {
    expect(await asked(LIMITED, 'disk0')).toEqual({ connecting: 'OK', protocol: 'newstyle' });
    expect((await asked(LIMITED, "nobody's")).connecting).not.toBe('OK');
  });
});

describe.skipIf(!isLibnbdThere).each(LIBNBD_DISKS)('names of exports, on %s', (_, make) => {
  it(`have up to ${NAME_BYTES_MAX} bytes, of any characters`, async () => {
    const names = ['n', ' ', 'a/b "c"', '歷史', 'ü'.repeat(NAME_BYTES_MAX / 2), '磁'.repeat(1365)];
    await using disk = await make();
    await using nbd = await nbdFixture(Object.fromEntries(names.map(name => [name, disk.now])));
    const size = String(LIBNBD_DISK_BYTES);
    expect(await libnbd(NAMES, nbd.socketPath, ...names)).toEqual({
      ...Object.fromEntries(names.map(name => [`${Buffer.byteLength(name)} bytes`, size])),
      'as long, and unknown': 'ENOENT',
      longer: 'EINVAL',
    });
    expect(nbd.bugs).toEqual([]);
  });

  it('are invalid when they are longer, and the negotiation goes on', async () => {
    await using disk = await make();
    await using nbd = await nbdFixture({ disk0: disk.now });
    const client = await NbdClient.dial(nbd.socketPath);
    await client.greet();
    const ask = async (option: number, length: number, rest: Buffer): Promise<number | undefined> =>
      (await client.option(option, Buffer.concat([u32(length), Buffer.alloc(length, 'n'), rest]))).at(-1)
        ?.type;
    const noItems = Buffer.alloc(2);
    for (const option of [6, 7])
      expect([
        await ask(option, NAME_BYTES_MAX, noItems),
        await ask(option, NAME_BYTES_MAX + 1, noItems),
      ]).toEqual([ERR_UNKNOWN, ERR_INVALID]);
    await client.option(8);
    expect(await ask(10, NAME_BYTES_MAX + 1, u32(0))).toBe(ERR_INVALID);
    expect(
      (await client.option(7, Buffer.concat([u32(5), Buffer.from('disk0'), noItems]))).at(-1)?.type,
    ).toBe(1);
    expect((await client.call({ command: 0, length: 512 })).data.equals(Buffer.alloc(512, 7))).toBe(true);
    client.close();
    expect(nbd.bugs).toEqual([]);
  });
});
