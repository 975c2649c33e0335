// A test that reads the source: sizes, banned calls, rules named in tests. Rules live in machines (style.md §6).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModules, repositoryRoot, type SourceModule } from '../build/layers.ts';
import { RULES } from '../build/rules.ts';
import { SWITCH_OFF_NAMES } from '../electron/storage/disk/switch-offs.ts';

const LINES_MAX = 400;
/** A simulated world is read whole: its device, its guest and its oracle belong together. */
const SIM_LINES_MAX = 600;
const COMPONENT_LINES_MAX = 200;
const FUNCTION_LINES_MAX = 70;
/** What may be longer than code should be: named here, each with its reason. */
const LONG_TABLES: Readonly<Record<string, string>> = {
  'shared/rpc/contract.ts': 'one row per method: a table',
  'electron/storage/contract.ts': 'one row per method: a table',
  'electron/control/service.ts': 'one handler per method, each a few lines: a table',
  'electron/storage/vm-service.ts': 'one handler per method, each a few lines: a table',
};

const source = readModules(repositoryRoot, ['shared', 'electron', 'renderer', 'build']);
const tests = readModules(repositoryRoot, ['test']);
const lines = (module: SourceModule): string[] => module.text.split('\n');

const linesMax = ({ path }: SourceModule): number => {
  if (path.startsWith('test/sim/')) return SIM_LINES_MAX;
  return path.endsWith('.tsx') ? COMPONENT_LINES_MAX : LINES_MAX;
};

/** A function's length by its indentation: the formatter closes what it opens at the same column. */
function longFunctions(module: SourceModule): string[] {
  const all = lines(module);
  const found: string[] = [];
  all.forEach((line, start) => {
    const opens =
      /^(\s*)(?:export )?(?:async )?(?:function\b|(?:const|readonly) \w+.*=>\s*\{$|(?:private |public |static |async |override )*[\w#]+\([^;]*\)?[^;=]*\{$)/.exec(
        line,
      );
    if (opens === null || /^\s*(?:if|for|while|switch|catch|describe|it)\b/.test(line)) return;
    const end = all.findIndex((other, index) => index > start && other.startsWith(`${opens[1] ?? ''}}`));
    if (end - start + 1 > FUNCTION_LINES_MAX)
      found.push(`${module.path}:${start + 1} ${end - start + 1} lines`);
  });
  return found;
}

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly except: RegExp;
}
const PLATFORM = /^(electron\/platform\/|build\/)/;
const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|new Date\(\)|performance\.now\(/,
    instead: 'Clock.wallMs or monotonicMs',
    except: /^(electron\/platform\/|build\/|renderer\/)/,
  },
  {
    pattern: /\b(?:setTimeout|setInterval)\(/,
    instead: 'Clock.after or every',
    except: /^(electron\/platform\/|build\/|renderer\/)/,
  },
  { pattern: /Math\.random\(|randomUUID\(|randomBytes\(/, instead: 'Random', except: PLATFORM },
  {
    pattern: /from 'node:(?:fs|fs\/promises|child_process|os)'/,
    instead: 'a file of electron/platform',
    except: PLATFORM,
  },
  {
    pattern: /from 'node:(?:net|http)'/,
    instead: 'electron/platform or electron/transport',
    except: /^(electron\/(?:platform|transport)\/|build\/)/,
  },
  {
    pattern: /\bshell:\s*true|\bexecSync\(/,
    instead: 'argv, never a shell string (DESIGN §8)',
    except: /^$/,
  },
  { pattern: /\bas any\b|: any\b|@ts-ignore|@ts-expect-error/, instead: 'a type', except: /^$/ },
  { pattern: /catch\s*(?:\(\w+\))?\s*\{\s*\}/, instead: 'handle, translate or rethrow', except: /^$/ },
  { pattern: /\b(?:TODO|FIXME|XXX)\b/, instead: 'do it, or an issue', except: /^$/ },
  { pattern: /export default/, instead: 'a named export', except: /\.config\.ts$/ },
];

const DOCUMENTS = ['README.md', 'electron/storage/SPEC.md', 'electron/control/audit/SPEC.md'];

describe('tidy', () => {
  it('sees the source', () => {
    expect(source.length).toBeGreaterThan(40);
    expect(tests.length).toBeGreaterThan(10);
  });

  it(`keeps files within ${LINES_MAX} lines`, () => {
    const long = [...source, ...tests]
      .filter(module => lines(module).length > linesMax(module) && LONG_TABLES[module.path] === undefined)
      .map(module => `${module.path} ${lines(module).length}`);
    expect(long).toEqual([]);
  });

  it(`keeps functions within ${FUNCTION_LINES_MAX} lines`, () => {
    expect(
      source
        .filter(module => !module.path.startsWith('renderer/') && LONG_TABLES[module.path] === undefined)
        .flatMap(longFunctions),
    ).toEqual([]);
  });

  it.each(BANS)('bans $pattern: use $instead', ({ pattern, except }) => {
    const hits = source
      .filter(module => !except.test(module.path))
      .flatMap(module =>
        lines(module)
          .map((line, index) => ({ line, at: `${module.path}:${index + 1}` }))
          .filter(({ line }) => !/^\s*(?:\/\/|\*|\/\*)/.test(line) && pattern.test(line))
          .map(({ at, line }) => `${at} ${line.trim()}`),
      );
    expect(hits).toEqual([]);
  });

  it('has no export that nobody uses, and no file that nobody imports', () => {
    const all = [...source, ...tests];
    const users = new Map<string, number>();
    for (const { text } of all)
      for (const word of new Set(text.match(/\b[A-Za-z_]\w*\b/g)))
        users.set(word, (users.get(word) ?? 0) + 1);
    const unused = all.flatMap(({ path, text }) =>
      [...text.matchAll(/^export (?:async )?(?:const|function|class|interface|type) (\w+)/gm)]
        .map(match => match[1] ?? '')
        .filter(name => users.get(name) === 1 && text.split(new RegExp(`\\b${name}\\b`)).length === 2)
        .map(name => `${path}: ${name}`),
    );
    expect(unused).toEqual([]);
    const names = new Set(all.flatMap(({ text }) => text.match(/[\w.-]+(?=\.tsx?['"`])/g) ?? []));
    // Where a process, a suite or a command begins; the preload is named by the bundler.
    const begins =
      /(?:^|\/)(?:main|suite|worker|[\w-]+\.(?:test|config|d))\.tsx?$|^build\/(?:scripts|guest)\//;
    const orphans = all
      .filter(({ path }) => !begins.test(path))
      .filter(({ path }) => !names.has(path.replace(/^.*\/|\.tsx?$/g, '')));
    expect(orphans.map(({ path }) => path)).toEqual([]);
  });

  it('names every rule that code cites in at least one test', () => {
    const cited = new Set(
      source.flatMap(module =>
        [...module.text.matchAll(/\b([TML]\d{1,2})\b(?=[:),.; ])/g)].map(match => match[1] ?? ''),
      ),
    );
    const tested = tests.map(module => module.text).join('\n');
    const rules = [...cited].filter(rule => /^(T([1-9]|1[0-8])|M([1-9]|10)|L[1-5])$/.test(rule));
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(rule => !new RegExp(`\\b${rule}\\b`).test(tested)).sort()).toEqual([]);
  });

  it('finds every path that the documents name', () => {
    const named = DOCUMENTS.flatMap(document => {
      const text = readFileSync(join(repositoryRoot, document), 'utf8');
      return [...text.matchAll(/\b((?:electron|renderer|shared|test|build)\/[\w./-]*)/g)].map(
        match => match[1] ?? '',
      );
    });
    expect(named.length).toBeGreaterThan(20);
    const beside = ['electron/storage', '.'];
    const isThere = (path: string): boolean =>
      beside.some(folder => existsSync(join(repositoryRoot, folder, path)));
    expect([...new Set(named)].filter(path => !isThere(path.replace(/[./]+$/, '')))).toEqual([]);
  });

  it('names every switch-off of the engine in its specification', () => {
    const spec = readFileSync(join(repositoryRoot, 'electron/storage/SPEC.md'), 'utf8');
    expect(SWITCH_OFF_NAMES.filter(name => !spec.includes(name))).toEqual([]);
  });

  it('has the rules of the disks beside the engine, each in its words', () => {
    const spec = readFileSync(join(repositoryRoot, 'electron/storage/SPEC.md'), 'utf8');
    const told = [...spec.matchAll(/^- \*\*(T\d+)\*\* \w/gm)].map(([, rule]) => rule);
    expect(told).toEqual(Object.keys(RULES).filter(rule => rule.startsWith('T')));
  });

  it('has nothing at the top level but what the design gives', () => {
    const ignored = readFileSync(join(repositoryRoot, '.gitignore'), 'utf8');
    expect(ignored).toContain('node_modules');
  });
});
