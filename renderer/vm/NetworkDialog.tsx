// Edits a VM's network: whom its guest reaches, and which ports of this computer lead to the guest.
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { type NetworkMode, networkModeSchema } from '../../shared/vm-setup.ts';
import { useSpeech } from '../i18n/text.ts';
import { type ForwardRow, forwardsOf, rowsOf } from '../state/network-form.ts';
import { Button } from '../ui/Button.tsx';
import { SetupDialog } from './SetupDialog.tsx';

const FORWARDS_MAX = 32;
/** The first row offered is the most common wish: ssh. */
const FIRST = { protocol: 'tcp', hostPort: '2222', guestPort: '22' } as const;

function ModeChoice(props: { readonly value: NetworkMode; readonly onChange: (mode: NetworkMode) => void }) {
  const { text } = useSpeech();
  const words = text.setup.network;
  return (
    <fieldset className="modes">
      <legend>{words.mode}</legend>
      {networkModeSchema.options.map(mode => (
        <label key={mode}>
          <input
            type="radio"
            name="network-mode"
            checked={mode === props.value}
            onChange={() => props.onChange(mode)}
          />
          <span>
            {words.modes[mode]}
            <small>{words.modeNotes[mode]}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function ForwardLine(props: {
  readonly row: ForwardRow;
  readonly onChange: (row: ForwardRow) => void;
  readonly onRemove: () => void;
}) {
  const { text } = useSpeech();
  const { row } = props;
  const words = text.setup.network;
  const port = (key: 'hostPort' | 'guestPort') => (
    <td>
      <input
        className="input short"
        inputMode="numeric"
        aria-label={words[key]}
        value={row[key]}
        maxLength={5}
        onChange={event => props.onChange({ ...row, [key]: event.target.value })}
      />
    </td>
  );
  return (
    <tr>
      <td>
        <select
          className="select"
          aria-label={words.protocol}
          value={row.protocol}
          onChange={event =>
            props.onChange({ ...row, protocol: event.target.value === 'udp' ? 'udp' : 'tcp' })
          }
        >
          <option value="tcp">{words.protocols.tcp}</option>
          <option value="udp">{words.protocols.udp}</option>
        </select>
      </td>
      {port('hostPort')}
      {port('guestPort')}
      <td>
        <Button look="icon" label={words.remove(row.hostPort)} onPress={props.onRemove}>
          <Trash2 size={15} strokeWidth={1.75} aria-hidden />
        </Button>
      </td>
    </tr>
  );
}

export function NetworkDialog(props: { readonly vm: VmSummary; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { spec } = props.vm;
  const words = text.setup.network;
  const [network, setNetwork] = useState(spec.network);
  const [rows, setRows] = useState(() => rowsOf(spec.portForwards));
  const { forwards, problem } = forwardsOf(rows, text);
  const change = problem === null ? { network, portForwards: forwards } : null;
  const add = (): void => {
    const key = Math.max(-1, ...rows.map(row => row.key)) + 1;
    setRows([...rows, { key, ...(rows.length === 0 ? FIRST : { ...FIRST, hostPort: '', guestPort: '' }) }]);
  };
  return (
    <SetupDialog vm={props.vm} title={words.of(spec.name)} change={change} onClose={props.onClose}>
      <ModeChoice value={network} onChange={setNetwork} />
      {network === 'none' ? null : (
        <section className="forwards">
          <h3>{words.forwards}</h3>
          <p className="soft">{words.forwardsText}</p>
          {rows.length === 0 ? (
            <p className="soft">{words.noForwards}</p>
          ) : (
            <table className="forward-table">
              <thead>
                <tr>
                  <th scope="col">{words.protocol}</th>
                  <th scope="col">{words.hostPort}</th>
                  <th scope="col">{words.guestPort}</th>
                  <td />
                </tr>
              </thead>
              <tbody>
                {rows.map(row => (
                  <ForwardLine
                    key={row.key}
                    row={row}
                    onChange={next => setRows(rows.map(other => (other.key === row.key ? next : other)))}
                    onRemove={() => setRows(rows.filter(other => other.key !== row.key))}
                  />
                ))}
              </tbody>
            </table>
          )}
          {problem === null ? null : (
            <p className="field-error" role="status">
              {problem.text}
            </p>
          )}
          <Button onPress={add} isDisabled={rows.length >= FORWARDS_MAX}>
            <Plus size={15} aria-hidden />
            {words.add}
          </Button>
        </section>
      )}
    </SetupDialog>
  );
}
