// A VM's CD drive: what is in it, taking it out, and inserting another. The sample VM has no drive.
import { useState } from 'react';
import { discOf, type VmSummary } from '../../shared/vm.ts';
import { isOver } from '../../shared/vm-phase.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { InsertDialog } from './InsertDialog.tsx';

export function DriveSection(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const { spec, state } = props.vm;
  const [isOpen, setOpen] = useState(false);
  const isInserting = useService(({ tasks }) =>
    tasks.some(task => task.kind === 'vm.insert' && task.vmId === spec.id && task.state === 'running'),
  );
  if (spec.boot.kind === 'sample') return null;
  const words = text.setup.drive;
  const disc = discOf(spec);
  const isOff = isOver(state.phase);
  const reason = isInserting ? words.busy : isOff ? null : words.offFirst;
  const eject = () => attempt(words.eject, () => call('vm.eject', { vmId: spec.id }));
  return (
    <>
      <section className="setting">
        <div className="setting-text">
          <h2>{words.title}</h2>
          <p className="soft wrap">{disc ?? words.empty}</p>
          {reason === null ? null : <p className="soft">{reason}</p>}
        </div>
        <div className="setting-verbs">
          {disc === null ? null : (
            <Button
              needs="vm.eject"
              label={`${words.eject}: ${disc}`}
              onPress={eject}
              isDisabled={reason !== null}
            >
              {words.eject}
            </Button>
          )}
          <Button needs="vm.insert" onPress={() => setOpen(true)} isDisabled={reason !== null}>
            {words.insert}
          </Button>
        </div>
      </section>
      {isOpen ? <InsertDialog vm={props.vm} onClose={() => setOpen(false)} /> : null}
    </>
  );
}
