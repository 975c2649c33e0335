// noVNC is large and uses top-level await: its own chunk, loaded when a screen is opened.
import { lazy, Suspense } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';

const ConsoleTab = lazy(() => import('./ConsoleTab.tsx').then(module => ({ default: module.ConsoleTab })));

export function ScreenOf(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  return (
    <Suspense fallback={<p className="page quiet">{text.console.connecting}</p>}>
      <ConsoleTab vm={props.vm} />
    </Suspense>
  );
}
