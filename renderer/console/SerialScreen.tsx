// The VM's serial line: text in, text out, in the frame that the screen has.
import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { currentClient } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { useService } from '../ui/hooks.ts';
import { Frame, type ScreenState } from './Frame.tsx';
import { SerialChannel } from './serial-channel.ts';
import { openTerminal, type SerialTerminal } from './serial-terminal.ts';
import { useRelease } from './use-release.ts';

interface Serial {
  readonly state: ScreenState;
  readonly error: ErrorBody | null;
  readonly isUnheard: boolean;
  readonly terminal: RefObject<SerialTerminal | null>;
  readonly reopen: () => void;
}

function useSerial(vm: VmSummary, host: RefObject<HTMLDivElement | null>): Serial {
  const { text } = useSpeech();
  const [state, setState] = useState<ScreenState>('opening');
  const [error, setError] = useState<ErrorBody | null>(null);
  const [isUnheard, setUnheard] = useState(false);
  const [turn, setTurn] = useState(0);
  const terminal = useRef<SerialTerminal | null>(null);
  const connection = useService(found => found.connection);
  const { id: vmId, name } = vm.spec;
  const { pid } = vm.state;
  const isOn = pid !== null && vm.state.phase !== 'starting';
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks for a new line, `pid` is another QEMU; a name that changes is no reason
  useEffect(() => {
    const client = currentClient();
    const element = host.current;
    if (!isOn || connection !== 'connected' || client === null || element === null) return;
    setState('opening');
    setError(null);
    setUnheard(false);
    const channel = new SerialChannel(client, vmId, {
      heard: bytes => terminal.current?.draw(bytes),
      lost: body => {
        setError(body);
        setState('lost');
      },
      unheard: setUnheard,
    });
    const words = { label: text.console.serial(name), omitted: text.console.omitted };
    const opened = openTerminal(element, { ...words, typed: typed => channel.type(typed) });
    terminal.current = opened;
    void channel.open().then(() => setState(before => (before === 'lost' ? before : 'open')));
    return () => {
      terminal.current = null;
      channel.close();
      opened.dispose();
    };
  }, [vmId, isOn, pid, connection, turn, host]);
  return { state, error, isUnheard, terminal, reopen: () => setTurn(count => count + 1) };
}

export function SerialScreen(props: { readonly vm: VmSummary; readonly choice: ReactNode }) {
  const { text } = useSpeech();
  const host = useRef<HTMLDivElement | null>(null);
  const frame = useRef<HTMLElement | null>(null);
  const [hasKeyboard, setKeyboard] = useState(false);
  const serial = useSerial(props.vm, host);
  useRelease(() => serial.terminal.current?.blur(), frame);
  const words = text.console;
  const status = hasKeyboard ? words.serialHere : words.serialAway;
  return (
    <div className="console">
      <div className="console-bar">
        {props.choice}
        <span className="quiet" role="status">
          {serial.state !== 'open' ? '' : serial.isUnheard ? words.serialUnheard : status}
        </span>
      </div>
      <Frame
        frame={frame}
        host={host}
        label={words.serial(props.vm.spec.name)}
        hasKeyboard={hasKeyboard}
        onKeyboard={setKeyboard}
        screen={{ ...serial, connecting: words.serialConnecting, lost: words.serialLost }}
      />
    </div>
  );
}
