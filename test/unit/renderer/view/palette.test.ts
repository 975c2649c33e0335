import { describe, expect, it } from 'vitest';
import { findEntries, offered } from '../../../../renderer/view/palette.ts';
import { VERB_NEEDS, type VmVerb, verbsIn } from '../../../../renderer/view/vm-verbs.ts';
import { ROLES } from '../../../../shared/roles.ts';
import { vmPhaseSchema } from '../../../../shared/vm.ts';
import { MAY } from '../../../../shared/vm-phase.ts';

const labels = (all: readonly string[], typed: string): string[] =>
  findEntries(
    all.map(label => ({ label })),
    typed,
  ).map(({ label }) => label);

describe('the palette', () => {
  it('finds every word in any order, whatever the case', () => {
    expect(labels(['Start dev', 'Start work', 'dev: Memory'], 'DEV sta')).toEqual(['Start dev']);
    expect(labels(['Start dev'], 'x')).toEqual([]);
  });

  it('shows first what begins with what was typed, and keeps the order otherwise', () => {
    expect(labels(['a: Reset b', 'Reset c', 'b: Reset', 'Reset a'], 'reset')).toEqual([
      'Reset c',
      'Reset a',
      'a: Reset b',
      'b: Reset',
    ]);
  });

  it('is all of it while nothing is typed', () => {
    expect(labels(['b', 'a'], '  ')).toEqual(['b', 'a']);
  });
});

describe('by role', () => {
  const verbs = Object.entries(VERB_NEEDS).map(([label, needs]) => ({ label, needs }));
  const entries: { label: string; needs?: (typeof verbs)[number]['needs'] }[] = [
    { label: 'go there' },
    ...verbs,
  ];
  it.each([
    ['view', ['go there']],
    ['operate', ['go there', 'start', 'resume', 'suspend', 'shutdown', 'pause', 'unpause', 'reset', 'force']],
    ['administer', entries.map(({ label }) => label)],
  ] as const)('who may %s is offered what the service does for that', (role, labels) => {
    expect(ROLES).toContain(role);
    expect(offered(entries, role).map(({ label }) => label)).toEqual(labels);
  });
});

describe('the verbs of a VM', () => {
  // What the service takes, in its own words.
  const SERVICE: Partial<Record<VmVerb, keyof typeof MAY>> = {
    start: 'start',
    resume: 'start',
    suspend: 'suspend',
    shutdown: 'stop',
    pause: 'pause',
    unpause: 'resume',
    reset: 'reset',
    force: 'force',
  };

  it.each(vmPhaseSchema.options)('offers while %s what the service takes, and nothing else', phase => {
    const offered = verbsIn(phase).flatMap(verb => SERVICE[verb] ?? []);
    const taken = Object.entries(MAY).filter(([, phases]) => phases.includes(phase));
    expect([...new Set(offered)].sort()).toEqual(taken.map(([verb]) => verb).sort());
  });
});
