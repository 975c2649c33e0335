// The program's logo, and a shape for each VM state: colour alone never tells a state.
import type { VmPhase } from '../../shared/vm.ts';

export function Mark() {
  const wave = (y: number): string => `m2 ${y}c3.3 0 3.3-3 6.7-3S12 ${y} 15.3 ${y} 18.7 ${y - 3} 22 ${y - 3}`;
  return (
    <svg viewBox="0 0 24 24" className="mark" aria-hidden="true">
      <g fill="none" stroke="var(--tide)" strokeWidth="2.4" strokeLinecap="round">
        <path d={wave(9)} />
        <path d={wave(14)} opacity=".6" />
        <path d={wave(19)} opacity=".3" />
      </g>
    </svg>
  );
}

const outline = { fill: 'none', strokeWidth: 1.5, strokeLinejoin: 'round' } as const;

export function StateShape(props: { readonly phase: VmPhase; readonly warn?: boolean }) {
  return (
    <svg viewBox="0 0 16 16" className="shape" aria-hidden="true">
      {shape(props.phase, props.warn === true)}
    </svg>
  );
}

function shape(phase: VmPhase, warn: boolean) {
  if (warn || phase === 'failed') {
    const ink = phase === 'failed' ? 'var(--bad)' : 'var(--warn)';
    return (
      <g stroke={ink} {...outline}>
        <path d="m8 2.2L14.4 13H1.6z" />
        <path d="m8 6.4v3M8 11v.6" />
      </g>
    );
  }
  switch (phase) {
    case 'running':
      return <path d="m4.5 3.2v9.6l8-4.8z" fill="var(--c)" />;
    case 'paused':
    case 'suspended':
      return <path d="m4 3h3v10H4zM9 3h3v10H9z" fill="var(--c)" opacity={phase === 'paused' ? 1 : 0.75} />;
    case 'starting':
      return <path d="m4.5 3.2v9.6l8-4.8z" stroke="var(--c)" {...outline} />;
    case 'stopping':
    case 'suspending':
      return <rect x="4" y="4" width="8" height="8" rx="1" fill="var(--c)" opacity=".55" />;
    default:
      return <rect x="4.5" y="4.5" width="7" height="7" rx="1" stroke="var(--ink-3)" {...outline} />;
  }
}
