// A VM's disks: the size the guest sees, the space each takes here, and a button to make it larger.
import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import type { DiskId } from '../../shared/ids.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import { answered, askedStore } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { formatBytes } from '../view/format.ts';
import { GrowDialog } from './GrowDialog.tsx';

/** Opens the dialog to grow a disk when the palette asked for it: of the first disk, since it names none. */
function useAskedToGrow(vm: VmSummary, open: (id: DiskId) => void): void {
  const asked = useStore(askedStore, state => state.asked);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new question moves this on
  useEffect(() => {
    if (asked === null || asked.vmId !== vm.spec.id || asked.verb !== 'grow') return;
    answered();
    const [first] = vm.spec.disks;
    if (first !== undefined) open(first.id);
  }, [asked]);
}

export function DiskList(props: { readonly vm: VmSummary }) {
  const { text, language } = useSpeech();
  const { vm } = props;
  const { disks } = vm.spec;
  const timeline = useService(state => state.timelines[vm.spec.id]);
  const [growing, setGrowing] = useState<DiskId | null>(null);
  useAskedToGrow(vm, setGrowing);
  const words = text.disks;
  const size = (bytes: number): string => formatBytes(bytes, language);
  const index = disks.findIndex(({ id }) => id === growing);
  const open = disks[index];
  return (
    <>
      {disks.map(({ id, virtualBytes }, at) => {
        const used = timeline?.disks.find(disk => disk.id === id)?.allocatedBytes;
        const name = words.disk(at + 1);
        return (
          <section className="setting" key={id}>
            <div>
              <h2>{name}</h2>
              <p className="soft">
                {used === undefined
                  ? words.virtualOnly(size(virtualBytes))
                  : words.line(size(virtualBytes), size(used))}
              </p>
            </div>
            <Button needs="disk.grow" label={words.growNamed(at + 1)} onPress={() => setGrowing(id)}>
              {words.grow}
            </Button>
          </section>
        );
      })}
      {open === undefined ? null : (
        <GrowDialog vm={vm} disk={open} index={index + 1} onClose={() => setGrowing(null)} />
      )}
    </>
  );
}
