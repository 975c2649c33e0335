// A small picture of a VM's screen, renewed now and then while somebody can see it; the VM's state where
// there is no picture. It needs no words of its own: the VM's name stands beside it.
import { type RefObject, useEffect, useRef, useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { whileSeen } from '../api/seen.ts';
import { useService } from '../ui/hooks.ts';
import { StateShape } from '../ui/Shapes.tsx';

/** Counted from the last answer, so that a slow service is not asked more often. */
const AGAIN_MS = 15_000;

/** Runs while the element is scrolled into view in a window that is not hidden. */
function whileInView(element: Element, run: () => () => void): () => void {
  let stop: (() => void) | null = null;
  const observer = new IntersectionObserver(entries => {
    const isInView = entries.at(-1)?.isIntersecting === true;
    if (isInView) stop ??= whileSeen(run);
    else {
      stop?.();
      stop = null;
    }
  });
  observer.observe(element);
  return () => {
    observer.disconnect();
    stop?.();
  };
}

function usePicture(vm: VmSummary, box: RefObject<HTMLElement | null>): string | null {
  const [png, setPng] = useState<string | null>(null);
  const isConnected = useService(state => state.connection === 'connected');
  const { id: vmId } = vm.spec;
  const { pid } = vm.state;
  const isOn = pid !== null && vm.state.phase !== 'starting' && isConnected;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `pid` is another QEMU, with another screen
  useEffect(() => {
    const element = box.current;
    setPng(null);
    if (!isOn || element === null) return;
    return whileInView(element, () => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let isWanted = true;
      const ask = async (): Promise<void> => {
        const answer = await call('vm.thumbnail', { vmId }).catch(() => ({ png: null }));
        if (!isWanted) return;
        setPng(answer.png);
        timer = setTimeout(() => void ask(), AGAIN_MS);
      };
      void ask();
      return () => {
        isWanted = false;
        clearTimeout(timer);
      };
    });
  }, [vmId, isOn, pid, box]);
  return png;
}

export function Thumbnail(props: { readonly vm: VmSummary }) {
  const box = useRef<HTMLSpanElement | null>(null);
  const png = usePicture(props.vm, box);
  return (
    <span ref={box} className="thumbnail">
      {png === null ? (
        <StateShape phase={props.vm.state.phase} />
      ) : (
        <img src={`data:image/png;base64,${png}`} alt="" />
      )}
    </span>
  );
}
