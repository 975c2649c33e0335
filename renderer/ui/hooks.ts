// Small hooks: narrow selectors over the stores, a slow clock, a countdown, an element's width.
import { type RefObject, useEffect, useReducer, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { RangeUndo, VmMemory } from '../../shared/memory.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { whileSeen } from '../api/seen.ts';
import { type ServiceState, serviceStore } from '../state/service.ts';
import { vmHues } from '../view/attention.ts';
import { secondsLeft, untilNextSecond } from '../view/trial.ts';

export const useService = <T>(select: (state: ServiceState) => T): T => useStore(serviceStore, select);

const NO_VMS: readonly VmSummary[] = [];
export const useVms = (): readonly VmSummary[] => useService(state => state.vms ?? NO_VMS);

export const useMemory = (vmId: string): VmMemory | null =>
  useService(state => state.host?.vms.find(vm => vm.vmId === vmId) ?? null);

const NO_UNDO: RangeUndo = { before: null, trialEndsAt: null };
export const useRangeUndo = (vmId: string): RangeUndo => useService(state => state.ranges[vmId] ?? NO_UNDO);

/** Returns each VM's colour as an inline style that sets `--c`. */
export function useHue(): (vmId: string) => Record<string, string> {
  const hues = vmHues(useVms());
  return vmId => ({ '--c': `var(--vm${hues[vmId] ?? 1})` });
}

/** The wall clock, for words such as "running 3 h"; moves every ten seconds. */
export function useNow(everyMs = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    return whileSeen(() => {
      setNow(Date.now());
      const timer = setInterval(() => setNow(Date.now()), everyMs);
      return () => clearInterval(timer);
    });
  }, [everyMs]);
  return now;
}

/** Whole seconds until `endsAt`; redraws exactly when the number changes. 0 for null. */
export function useSecondsLeft(endsAt: number | null): number {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (endsAt === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = (): void => {
      const ms = untilNextSecond(endsAt, Date.now());
      if (ms === null) return;
      timer = setTimeout(() => {
        redraw();
        wait();
      }, ms);
    };
    wait();
    return () => clearTimeout(timer);
  }, [endsAt]);
  return endsAt === null ? 0 : secondsLeft(endsAt, Date.now());
}

export function useWidth<E extends HTMLElement>(): [RefObject<E | null>, number] {
  const ref = useRef<E | null>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
