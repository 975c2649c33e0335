// Lists the files inside points, and copies them out. 7-Zip reads the guest's file system in a process of its
// own, with limits. It is told which kind of file system to read: where it guesses, it follows names inside
// images. It never writes: we write its standard output into new files under plain names. No link of a
// guest's is followed.
import { isAbsolute } from 'node:path';
import type { DiskId, MomentId, VmId } from '../../../shared/ids.ts';
import { type DiskPart, ENTRIES_MAX, type FileEntry, type FileList } from '../../../shared/point-files.ts';
import { Fault } from '../../../shared/result.ts';
import type { FileResult, ToolOptions, ToolResult } from '../../platform/process.ts';
import type { StorageClient } from '../../storage/client.ts';
import { checkFree, type ExportPorts, plainName } from '../points/export-point.ts';
import { pointNamed } from '../points/named-point.ts';
import { whilePointServed } from '../points/served-point.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { BlockReader, type Found, foundOf, partOf } from './listing.ts';
import { type MountPorts, missing, sweepMounts, whileMounted } from './mount.ts';

const TABLES = ['GPT', 'MBR'];
const FILE_SYSTEMS = ['Ext', 'NTFS', 'FAT', 'APFS', 'HFS', 'SquashFS', 'Udf', 'Iso'];
const LIST = { timeoutMs: 120_000 };
const COPY = { timeoutMs: 3_600_000 };
/** The memory that reading a broken file system may take. */
const MEMORY_BYTES = 2 ** 30;
/** How many points may be looked into at once, by all callers together, to list or to copy. */
const SCANS_MAX = 4;

export interface PointFilesPorts extends MountPorts {
  readonly storage: StorageClient;
  readonly readerSocket: (vmId: VmId) => string;
  readonly runTool: (command: string, args: readonly string[], options: ToolOptions) => Promise<ToolResult>;
  readonly runToFile: (
    command: string,
    args: readonly string[],
    options: ToolOptions & { readonly path: string; readonly bytesMax: number },
  ) => Promise<FileResult>;
  readonly files: Pick<ExportPorts, 'exists' | 'real' | 'freeBytes' | 'moveInto' | 'remove' | 'unfinished'>;
  readonly exportsFolder: () => string;
  readonly makeFolder: (path: string) => void;
  /** Leaves a folder that is not empty. */
  readonly removeEmptyFolder: (path: string) => void;
}

export interface Where {
  readonly vmId: VmId;
  readonly momentId: MomentId;
  readonly diskId: DiskId | null;
  readonly volume: number | null;
}
export interface WantedFiles extends Where {
  readonly vmName: string;
  readonly paths: readonly string[];
  /** Null: a new folder among the exports. */
  readonly folder: string | null;
}
export interface PlannedFiles extends WantedFiles {
  readonly folder: string;
  /** The folder was made for this copy. */
  readonly isNew: boolean;
}

type Use = (path: string, fileSystem: string) => Promise<void>;
interface Scan {
  readonly volumes: readonly DiskPart[];
  readonly volume: number | null;
  /** Null: no file system that 7-Zip can read. */
  readonly fileSystem: string | null;
}

export class PointFiles {
  readonly #ports: PointFilesPorts;
  #scans = 0;
  /** Paths of files that are being written: taken, though no file of that name is there yet. */
  readonly #claimed = new Set<string>();

  constructor(ports: PointFilesPorts) {
    this.#ports = ports;
  }

  /** Lists one folder. Faults: moment.not-found, disk.not-found, host.unsupported, limit.reached. */
  async list(where: Where, folder: string): Promise<FileList> {
    const entries: FileEntry[] = [];
    const stop = new AbortController();
    const told = ({ folder: of, path: _, ...entry }: Found): void => {
      if (of !== folder) return;
      if (entries.length < ENTRIES_MAX) entries.push(entry);
      else stop.abort();
    };
    const { fileSystem, ...scan } = await this.#scan(where, told, stop.signal);
    entries.sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name, 'en'));
    return {
      ...scan,
      volumes: [...scan.volumes],
      entries: fileSystem === null ? null : entries,
      isTruncated: stop.signal.aborted,
    };
  }

  /**
   * Where the caller names no folder, one is made at once: so the next plan finds that name taken. Faults:
   * file.unreadable (the folder), limit.reached, those of `admit`.
   */
  plan(wanted: WantedFiles, momentName: string, day: string, admit: (folder: string) => void): PlannedFiles {
    const { exists, real, freeBytes } = this.#ports.files;
    const { folder } = wanted;
    if (this.#scans >= SCANS_MAX) throw busy();
    if (folder !== null) {
      if (!isAbsolute(folder) || freeBytes(folder) === null) throw noFolder(folder);
      admit(folder);
      // The folder's real path: files in it are claimed by path, so it must not go by two names.
      return { ...wanted, folder: real(folder), isNew: false };
    }
    const name = plainName(`${wanted.vmName} ${momentName === '' ? 'point' : momentName} ${day} files`);
    for (let count = 1; ; count++) {
      const path = `${this.#ports.exportsFolder()}/${name}${count === 1 ? '' : ` ${count}`}`;
      if (exists(path)) continue;
      admit(path);
      this.#ports.makeFolder(path);
      return { ...wanted, folder: path, isNew: true };
    }
  }

  /** Clears away what a dead control left mounted in `folder`, before anybody looks into a point. */
  sweep(folder: string): Promise<void> {
    return sweepMounts(folder, this.#ports);
  }

  /**
   * Copies each file under a plain name that is free. Faults: file.unreadable, disk.full, host.unsupported,
   * limit.reached, cancelled.
   */
  async copy(planned: PlannedFiles, run: TaskRun): Promise<void> {
    try {
      await this.#copyAll(planned, run);
    } catch (cause) {
      if (planned.isNew) this.#ports.removeEmptyFolder(planned.folder);
      throw cause;
    }
  }

  async #copyAll(planned: PlannedFiles, run: TaskRun): Promise<void> {
    const { folder, paths } = planned;
    const wanted = new Map<string, Found>();
    run.step('looking for the files');
    const look = (found: Found): void => void (paths.includes(found.path) && wanted.set(found.path, found));
    await this.#scan(planned, look, run.signal, async (path, fileSystem) => {
      for (const name of paths) if (wanted.get(name)?.kind !== 'file') throw noFile(name);
      const total = [...wanted.values()].reduce((sum, { bytes }) => sum + bytes, 0);
      checkFree(folder, total, this.#ports.files);
      let done = 0;
      for (const found of wanted.values()) {
        run.step('copying the files', { done, total });
        await this.#copyOne({ disk: path, fileSystem }, found, folder, run);
        done += found.bytes;
      }
      run.step(`written to ${folder}`);
    });
  }

  async #copyOne(
    from: { readonly disk: string; readonly fileSystem: string },
    { path, name, bytes }: Found,
    folder: string,
    { signal }: TaskRun,
  ): Promise<void> {
    const { runToFile, files } = this.#ports;
    const target = this.#free(folder, plainName(name) || 'file');
    const part = `${target}.part`;
    this.#claimed.add(target);
    files.unfinished.begin(part);
    try {
      const [command, args] = this.#sevenZip([
        'x',
        '-so',
        '-spd',
        `-t${from.fileSystem}`,
        from.disk,
        '--',
        path,
      ]);
      const ran = await runToFile(command, args, { ...COPY, signal, path: part, bytesMax: bytes });
      signal.throwIfAborted();
      // 7-Zip ends with 0 also where it found nothing, or two files of that name: so the length is checked.
      if (ran.bytes !== bytes || ran.isMore) throw unreadable(path, ran.stderr);
      await files.moveInto(part, target);
    } catch (cause) {
      files.remove(part);
      throw cause;
    } finally {
      files.unfinished.end(part);
      this.#claimed.delete(target);
    }
  }

  #free(folder: string, name: string): string {
    const dot = name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length;
    for (let count = 1; ; count++) {
      const more = count === 1 ? '' : ` ${count}`;
      const path = `${folder}/${name.slice(0, dot)}${more}${name.slice(dot)}`;
      const isTaken = this.#claimed.has(path) || this.#ports.files.exists(path);
      if (!isTaken && !this.#ports.files.exists(`${path}.part`)) return path;
    }
  }

  /** Tells every entry of the chosen volume. Where the volume can be read, `use` runs while it is mounted. */
  async #scan(where: Where, tell: (found: Found) => void, signal: AbortSignal, use?: Use): Promise<Scan> {
    if (this.#scans >= SCANS_MAX) throw busy();
    this.#scans++;
    try {
      return await this.#scanNow(where, tell, signal, use);
    } finally {
      this.#scans--;
    }
  }

  async #scanNow(where: Where, tell: (found: Found) => void, signal: AbortSignal, use?: Use): Promise<Scan> {
    const { storage, readerSocket } = this.#ports;
    const { vmId } = where;
    this.#sevenZip([]);
    const { moments } = await storage.call('timeline.get', { vmId });
    const { pointId } = pointNamed(moments, where, 'Nothing was read.').point;
    const served = { vmId, pointId, socketPath: readerSocket(vmId) };
    return whilePointServed(storage, served, async ({ virtualBytes }) => {
      const from = { socketPath: served.socketPath, exportName: pointId };
      const volumes = await whileMounted(from, null, this.#ports, path =>
        this.#parts(path, virtualBytes, signal),
      );
      const volume = volumes.find(({ index }) => index === where.volume) ?? largest(volumes);
      const fileSystem = await whileMounted(from, volume, this.#ports, async path => {
        const found = await this.#entries(path, tell, signal);
        if (use !== undefined) signal.throwIfAborted();
        if (found !== null) await use?.(path, found);
        else if (use !== undefined) throw noFileSystem();
        return found;
      });
      return { volumes, volume: volume?.index ?? null, fileSystem };
    });
  }

  async #parts(path: string, diskBytes: number, signal: AbortSignal): Promise<DiskPart[]> {
    for (const kind of TABLES) {
      const parts: DiskPart[] = [];
      const reader = new BlockReader(block => {
        const part = partOf(block, parts.length, diskBytes);
        if (part !== null && parts.length < 128) parts.push(part);
      });
      await this.#read(['l', '-slt', '-ba', `-t${kind}`, path], reader, signal);
      if (parts.length > 0) return parts;
    }
    return [];
  }

  /** The kind of file system that the volume was read as; null: none of FILE_SYSTEMS. */
  async #entries(path: string, tell: (found: Found) => void, signal: AbortSignal): Promise<string | null> {
    for (const kind of FILE_SYSTEMS) {
      const reader = new BlockReader(block => {
        const found = foundOf(block);
        if (found !== null) tell(found);
      });
      const { code } = await this.#read(['l', '-slt', '-ba', `-t${kind}`, path], reader, signal);
      if (code === 0 || signal.aborted) return kind;
      if (code === 124) throw tooLong();
    }
    return null;
  }

  async #read(words: readonly string[], reader: BlockReader, signal: AbortSignal): Promise<ToolResult> {
    const [command, args] = this.#sevenZip(words);
    const onOutput = (text: string): void => reader.take(text);
    const ran = await this.#ports.runTool(command, args, { ...LIST, signal, onOutput });
    reader.end();
    return ran;
  }

  /** UTF-8 in any locale of this service's; with util-linux, its memory is bounded and it writes no file. */
  #sevenZip(words: readonly string[]): readonly [command: string, args: readonly string[]] {
    const { program } = this.#ports;
    const tool = program('7zz') ?? program('7z');
    const env = program('env');
    if (tool === null || env === null) throw missing('7-Zip', 'sudo apt-get install 7zip');
    const prlimit = program('prlimit');
    const limits = prlimit === null ? [] : [prlimit, `--as=${MEMORY_BYTES}`, '--fsize=0', '--core=0'];
    return [env, ['LC_ALL=C.UTF-8', ...limits, tool, ...words]];
  }
}

/** Folders first. */
const order = ({ kind }: FileEntry): number => (kind === 'folder' ? 0 : 1);
/** The volume that has people's files, as a rule. */
const largest = (volumes: readonly DiskPart[]): DiskPart | null =>
  volumes.reduce<DiskPart | null>(
    (most, part) => (most === null || part.bytes > most.bytes ? part : most),
    null,
  );

const SAFE = 'The point is as it was; nothing more was written.';
const noFolder = (folder: string): Fault =>
  new Fault({
    code: 'file.unreadable',
    what: `There is no folder ${folder}.`,
    safe: 'Nothing was written.',
    todo: 'Choose one that exists, by its whole path.',
  });
const noFile = (name: string): Fault =>
  new Fault({
    code: 'file.unreadable',
    what: `There is no plain file "${name}" at that point.`,
    safe: SAFE,
    todo: 'Look at its folder again; links and devices are not copied.',
  });
const noFileSystem = (): Fault =>
  new Fault({
    code: 'file.unreadable',
    what: 'No file system that 7-Zip reads was found there.',
    safe: SAFE,
    todo: 'Encrypted disks, LVM, XFS and Btrfs are not read: look at the point with Peek.',
  });
const unreadable = (path: string, said: string): Fault =>
  new Fault({
    code: 'file.unreadable',
    what: `"${path}" could not be read whole. ${said.trim().slice(0, 300)}`.trim(),
    safe: SAFE,
    todo: 'Look at the point with Peek instead.',
  });
const tooLong = (): Fault =>
  new Fault({
    code: 'file.unreadable',
    what: `Its file system was not read within ${LIST.timeoutMs / 1000} s.`,
    safe: SAFE,
    todo: 'Try again when this computer is less busy, or look at the point with Peek.',
  });
const busy = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: `${SCANS_MAX} points are being looked into.`,
    safe: 'They go on.',
    todo: 'Try again in a moment.',
  });
