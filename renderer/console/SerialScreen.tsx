// The VM's serial line as a terminal, in the same frame as the screen.
import { type ReactNode, type RefObject, useRef, useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import { Frame } from './Frame.tsx';
import { SerialChannel } from './serial-channel.ts';
import { openTerminal, type SerialTerminal } from './serial-terminal.ts';
import { type Connected, useConnected } from './use-connected.ts';
import { useRelease } from './use-release.ts';

interface Serial extends Connected {
  readonly isUnheard: boolean;
  readonly terminal: RefObject<SerialTerminal | null>;
}

function useSerial(vm: VmSummary, host: RefObject<HTMLDivElement | null>): Serial {
  const { text } = useSpeech();
  const [isUnheard, setUnheard] = useState(false);
  const terminal = useRef<SerialTerminal | null>(null);
  const connected = useConnected(vm, host, (client, element, tell) => {
    setUnheard(false);
    const channel = new SerialChannel(client, vm.spec.id, {
      heard: bytes => terminal.current?.draw(bytes),
      lost: tell.lost,
      unheard: setUnheard,
    });
    const words = { label: text.console.serial(vm.spec.name), omitted: text.console.omitted };
    const opened = openTerminal(element, { ...words, typed: typed => channel.type(typed) });
    terminal.current = opened;
    void channel.open().then(tell.open);
    return () => {
      terminal.current = null;
      channel.close();
      opened.dispose();
    };
  });
  return { ...connected, isUnheard, terminal };
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
