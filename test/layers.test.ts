import { describe, expect, it } from 'vitest';
import { findViolations, importsOf, LAYERS, readModules, repositoryRoot } from '../build/layers.ts';

const modules = readModules(repositoryRoot, ['shared', 'electron', 'renderer']);

describe('dependency direction', () => {
  it('sees every layer: a check over nothing would always be green', () => {
    for (const layer of LAYERS) {
      const own = modules.filter(module => module.path.startsWith(layer.folder));
      expect(own.length, layer.folder).toBeGreaterThan(0);
    }
    expect(modules.reduce((sum, module) => sum + importsOf(module.text).length, 0)).toBeGreaterThan(
      modules.length,
    );
  });

  it('holds in the whole tree', () => {
    expect(findViolations(modules)).toEqual([]);
  });

  it.each([
    ['renderer/x.tsx', "import { a } from '../electron/control/ports.ts';"],
    ['renderer/x.tsx', "import type { A } from '../electron/control/ports.ts';"],
    ['renderer/x.tsx', "import fs from 'node:fs';"],
    ['shared/x.ts', "import {\n  a,\n} from '../electron/platform/ports.ts';"],
    ['electron/storage/x.ts', "export { a } from '../control/ports.ts';"],
    ['electron/control/x.ts', "import { engine } from '../storage/disk/engine.ts';"],
    ['electron/control/x.ts', "const a = await import('electron');"],
    ['electron/shells/cli/x.ts', "import '../../control/service.ts';"],
  ])('catches a planted violation in %s: %s', (path, text) => {
    expect(findViolations([{ path, text }])).toHaveLength(1);
  });
});
