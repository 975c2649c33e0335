// rescue.py, which lies in every VM's folder: it lists the points of its disks and writes any of them out as
// a raw image, with nothing but Python 3 and the VHD files (T5). It shares no line with the engine, and
// changes no file.

export const RESCUE_SCRIPT_NAME = 'rescue.py';

export const RESCUE_SCRIPT = String.raw`#!/usr/bin/env python3
"""Your disks without Ebb. Needs Python 3.6 or later and the files beside this one; changes none of them.

  python3 rescue.py                     the points of every disk, as the files say
  python3 rescue.py POINT OUT.img       a disk as it was at a point, as a raw image (sparse)
  python3 rescue.py --verify            compares all data with the checksums kept in the files

POINT is the beginning of an id. Names come from timeline.json where it is there; "now" is the newest state.
Each file is also an ordinary VHD: 7-Zip opens every one, most programs the one marked "whole".
"""
import json, os, struct, sys, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT = 4096
OPEN = {}


def opened(path):
    """Some at a time: a disk may have more points than a process may have files open."""
    file = OPEN.pop(path, None) or open(path, 'rb')
    OPEN[path] = file
    if len(OPEN) > 200:
        OPEN.pop(next(iter(OPEN))).close()
    return file


class Vhd:
    """One dynamic or differencing VHD, read only. Geometry: Microsoft's VHD specification 1.0, big-endian."""

    def __init__(self, path):
        self.path = path
        self.length = os.path.getsize(path)
        footer = self.read(0, 512)
        if footer[:8] != b'conectix' or not summed(footer, 64):
            raise ValueError('its footer is damaged')
        self.data_at, = struct.unpack('>Q', footer[16:24])
        self.size, = struct.unpack('>Q', footer[48:56])
        kind, = struct.unpack('>I', footer[60:64])
        self.uuid = text(footer[68:84])
        header = self.read(self.data_at, 1024)
        if header[:8] != b'cxsparse' or not summed(header, 36):
            raise ValueError('its header is damaged')
        table, = struct.unpack('>Q', header[16:24])
        entries, self.block = struct.unpack('>II', header[28:36])
        # A header may say anything; a table that is not in the file is not read, nor room made for it.
        if table + entries * 4 > self.length or self.block < UNIT or self.block % UNIT:
            raise ValueError('its block table is damaged')
        self.parent = text(header[40:56]) if kind == 4 else None
        self.bat = struct.unpack('>%dI' % entries, self.read(table, entries * 4))
        self.metadata_end = table + -(-entries * 4 // 512) * 512 + 1024
        self.bitmap = -(-self.block // 512 // 8 // 512) * 512

    def read(self, at, count):
        file = opened(self.path)
        file.seek(at)
        data = file.read(count)
        return data + bytes(count - len(data))

    def map(self, index):
        """The bitmap of a block: a byte per 4 KiB; None where the block is not here."""
        if index >= len(self.bat) or self.bat[index] == 0xFFFFFFFF:
            return None
        units = self.block // UNIT
        return b'\xff' * units if self.parent is None else self.read(self.bat[index] * 512, units)

    def unit(self, index, unit):
        return self.read(self.bat[index] * 512 + self.bitmap + unit * UNIT, UNIT)

    def sums(self, index):
        """CRC-32 of the bitmap and of each unit; 0 where none was kept."""
        units = self.block // UNIT
        room = -(-(units + 1) * 4 // 512) * 512
        at = self.bat[index] * 512 - room
        count = units + 1
        return struct.unpack('>%dI' % count, self.read(at, count * 4)) if at >= self.metadata_end else (0,) * count


def summed(raw, at):
    return (~(sum(raw) - sum(raw[at:at + 4]))) & 0xFFFFFFFF == struct.unpack('>I', raw[at:at + 4])[0]


def text(raw):
    name = raw.hex()
    return '-'.join((name[:8], name[8:12], name[12:16], name[16:20], name[20:]))


def load(folder):
    """All images of a disk: the whole one, and differences by id. Two may carry one id in the middle of an operation:
    the whole one wins (an edge is being turned), else the one that is not named by it (two points are being merged)."""
    whole, parts = None, {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(('.vhd', '.vhd.new')):
            continue
        path = os.path.join(folder, name)
        try:
            # A pipe would be waited for.
            if not os.path.isfile(path):
                raise ValueError('it is no file')
            vhd = Vhd(path)
        except (ValueError, OSError, OverflowError, MemoryError, struct.error) as why:
            print('  %s cannot be used: %s' % (name, why))
            continue
        if vhd.parent is None:
            whole = vhd
        elif vhd.uuid not in parts or name != vhd.uuid + '.vhd':
            parts[vhd.uuid] = vhd
    return whole, parts


def layers(whole, parts, uuid):
    """Newest first; None where a file is missing."""
    turning = next((vhd for vhd in parts.values() if whole and vhd.uuid == whole.uuid), None)
    found, seen = [], set()
    while uuid not in seen:
        seen.add(uuid)
        part = parts.get(uuid)
        if part:
            found.append(part)
        if whole and (uuid == whole.uuid or (turning and turning.parent == uuid)):
            return found + [whole]
        if not part:
            return None
        uuid = part.parent
    return None


def names():
    try:
        with open(os.path.join(HERE, 'timeline.json'), encoding='utf-8') as file:
            rows = json.load(file)
        moments = {row['id']: row['name'] for row in rows['moments']}
        named = {row['id']: moments.get(row['momentId'], '') for row in rows['points']}
        named.update({row['leaf']: 'now' for row in rows['disks']})
        return named
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def disks():
    top = os.path.join(HERE, 'disks')
    return [os.path.join(top, name) for name in sorted(os.listdir(top))]


def show():
    named = names()
    for folder in disks():
        whole, parts = load(folder)
        print('disk %s' % os.path.basename(folder))
        for uuid in sorted(set(parts) | ({whole.uuid} if whole else set())):
            chain = layers(whole, parts, uuid)
            state = 'a file it needs is missing' if chain is None else 'whole' if len(chain) == 1 else 'differences'
            size = (parts.get(uuid) or whole).size
            print('  %s  %8.1f MiB  %-12s %s' % (uuid, size / 2**20, state, named.get(uuid, '')))


def write(wanted, out):
    named = names()
    for folder in disks():
        whole, parts = load(folder)
        ids = set(parts) | ({whole.uuid} if whole else set())
        for uuid in sorted(ids):
            if not uuid.startswith(wanted) and not (named.get(uuid) == wanted):
                continue
            chain = layers(whole, parts, uuid)
            if chain is None:
                sys.exit('A file that %s needs is missing.' % uuid)
            copy(chain, out)
            print('%s written to %s' % (uuid, out))
            return
    sys.exit('There is no point %s.' % wanted)


def copy(chain, out):
    top = chain[0]
    # A disk that grew: behind the end of a smaller image there is nothing below it, either.
    ends = [min(vhd.size for vhd in chain[:count + 1]) for count in range(len(chain))]
    with open(out, 'xb') as file:
        file.truncate(top.size)
        for index in range(-(-top.size // top.block)):
            maps = [(vhd, end, vhd.map(index)) for vhd, end in zip(chain, ends)]
            for unit in range(top.block // UNIT):
                at = index * top.block + unit * UNIT
                vhd, end = next(((vhd, end) for vhd, end, here in maps if here and here[unit]), (None, 0))
                if at < end:
                    file.seek(at)
                    file.write(vhd.unit(index, unit)[:end - at])


def crc(data, seed):
    return zlib.crc32(data, seed) & 0xFFFFFFFF or 1


def verify():
    wrong = unknown = 0
    for folder in disks():
        whole, parts = load(folder)
        for vhd in [whole] * bool(whole) + list(parts.values()):
            for index in range(len(vhd.bat)):
                here = vhd.map(index)
                if here is None:
                    continue
                kept = vhd.sums(index)
                if kept[0] and kept[0] != crc(vhd.read(vhd.bat[index] * 512, len(here)), 0x80000000 + index):
                    wrong += 1
                    print('%s: the map of block %d is damaged' % (vhd.path, index))
                for unit, is_here in enumerate(here):
                    place = index * len(here) + unit
                    if is_here and not kept[unit + 1]:
                        unknown += 1
                    elif is_here and kept[unit + 1] != crc(vhd.unit(index, unit), place):
                        wrong += 1
                        print('%s: 4 KiB at %d are damaged' % (vhd.path, place * UNIT))
    print('%d damaged, %d not recorded' % (wrong, unknown))
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    args = sys.argv[1:]
    if args == ['--verify']:
        verify()
    elif len(args) == 2:
        write(*args)
    elif not args:
        show()
    else:
        sys.exit(__doc__)
`;
