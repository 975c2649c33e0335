// Deleted VMs, each with a way back: a list on the overview, and an Undo where the VM was. Not shown while there are none.
import { useEffect, useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import type { DeletedVm } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { useVms } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { useAnswer } from '../ui/use-answer.ts';
import { formatDay, formatMoment } from '../view/format.ts';

/** VMs listed: the CLI lists all. */
const SHOWN_MAX = 50;

/** Asked anew whenever a VM comes or goes. The last answer stays until the next is there. */
function useDeleted(): readonly DeletedVm[] {
  const ids = useVms().map(({ spec }) => spec.id);
  const answer = useAnswer(ids.join(' '), () => call('vm.trashed', {}));
  const [known, setKnown] = useState<readonly DeletedVm[]>([]);
  const vms = answer.kind === 'known' ? answer.value.vms : null;
  useEffect(() => {
    if (vms !== null) setKnown(vms);
  }, [vms]);
  return (vms ?? known).filter(({ vmId }) => !ids.includes(vmId));
}

function useTakeBack(): (vm: DeletedVm) => void {
  const { text } = useSpeech();
  return ({ vmId }) => void attempt(text.vm.trash.takeBack, () => call('vm.restore', { vmId }));
}

export function DeletedVms() {
  const { text, language } = useSpeech();
  const vms = useDeleted();
  const takeBack = useTakeBack();
  const words = text.vm.trash;
  if (vms.length === 0) return null;
  return (
    <section>
      <h2>{words.title}</h2>
      <ul className="trash-list">
        {vms.slice(0, SHOWN_MAX).map(vm => (
          <li key={vm.vmId}>
            <span className="trash-name">{vm.name}</span>
            <span className="soft">
              {words.deleted(formatMoment(vm.deletedAt, language))},{' '}
              {words.until(formatDay(vm.goesAt, language))}
            </span>
            <Button needs="vm.restore" label={words.takeBackNamed(vm.name)} onPress={() => takeBack(vm)}>
              {words.takeBack}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Where the page of a VM was: what became of it, when it lies in the trash. */
export function UndoDelete(props: { readonly vmId: VmId }) {
  const { text, language } = useSpeech();
  const vm = useDeleted().find(({ vmId }) => vmId === props.vmId);
  const takeBack = useTakeBack();
  const words = text.vm.trash;
  if (vm === undefined) return null;
  return (
    <Notice
      tone="good"
      title={words.undoTitle(vm.name)}
      live="polite"
      action={
        <Button needs="vm.restore" onPress={() => takeBack(vm)} autoFocus>
          {words.undo}
        </Button>
      }
    >
      {words.undoText(formatDay(vm.goesAt, language))}
    </Notice>
  );
}
