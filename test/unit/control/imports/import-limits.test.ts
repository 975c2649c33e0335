// Tools that look at other people's images may not take more memory than they are given (DESIGN §8): the limit is the
// kernel's, and is looked for where it counts, in the tool's own process.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { convertInto, examineImage } from '../../../../electron/control/imports/import-disk.ts';
import type { ImportPorts } from '../../../../electron/control/imports/import-ports.ts';
import { canStopTools, findProgram, runTool } from '../../../../electron/platform/process.ts';
import { lookAtFile, readBytes } from '../../../../electron/platform/vm-files.ts';
import { looseRun } from '../../../support/loose-run.ts';

const LIMIT_KIB = 2 * 2 ** 20;

it('what qemu-img says and breaks off is of no use, and no mistake of ours', async () => {
  const file = { path: '/image', name: 'image', bytes: 512, modifiedMs: 1 };
  const ports: ImportPorts = {
    program: name => (name === 'qemu-img' ? '/qemu-img' : null),
    runTool: () => Promise.resolve({ code: 0, stdout: '{"virtual-size": 40', stderr: '' }),
    canStopTools,
    node: () => process.execPath,
    vhdReader: () => '',
    look: () => file,
    readBytes: (_path, _offset, length) => new Uint8Array(length),
  };
  await expect(examineImage(file, 'raw', ports)).rejects.toMatchObject({
    body: { code: 'import.bad-format' },
  });
});

it.skipIf(findProgram('prlimit') === null)(
  'qemu-img looks and copies within 2 GiB, and leaves no core',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-limit-'));
    try {
      // Says what it may, in the words of whom it stands for.
      const tool = join(folder, 'qemu-img');
      const says = '{"virtual-size": 4096, "required": 4096, "fully-allocated": 8192}';
      writeFileSync(
        tool,
        `#!/bin/sh\necho "$1 $(ulimit -d) $(ulimit -c)" >> ${folder}/limits\necho '${says}'\n`,
        {
          mode: 0o755,
        },
      );
      const image = join(folder, 'image');
      writeFileSync(image, Buffer.alloc(4096, 1));
      const chosen = lookAtFile(image);
      if (chosen === null) throw new Error('not reached');
      const ports: ImportPorts = {
        program: name => (name === 'qemu-img' ? tool : findProgram(name)),
        runTool,
        canStopTools,
        node: () => process.execPath,
        vhdReader: () => '',
        look: lookAtFile,
        readBytes,
      };
      const found = await examineImage(chosen, 'raw', ports);
      await convertInto(found, 'nbd+unix:///x', folder, ports, looseRun().run);
      const told = Buffer.from(readBytes(join(folder, 'limits'), 0, 4096))
        .toString('latin1')
        .replaceAll('\0', '');
      expect(told.trim().split('\n')).toEqual(
        ['info', 'measure', 'convert'].map(verb => `${verb} ${LIMIT_KIB} 0`),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
if (findProgram('prlimit') === null) console.warn('limits of qemu-img are not shown here: no prlimit');
