// The VM's screen: noVNC in a frame that shows when it owns the keyboard; Ctrl+Alt gives the keyboard back.
import RFB from '@novnc/novnc';
import { Expand, Maximize } from 'lucide-react';
import { lazy, type ReactNode, type RefObject, Suspense, useEffect, useRef, useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { MAY } from '../../shared/vm-phase.ts';
import { errorBodyOf, startVm } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Segmented } from '../ui/Field.tsx';
import { Frame } from './Frame.tsx';
import { RfbChannel } from './rfb-channel.ts';
import { type Connected, useConnected } from './use-connected.ts';
import { useRelease } from './use-release.ts';

/** The terminal is a chunk of its own, loaded when it is opened. */
const SerialScreen = lazy(() =>
  import('./SerialScreen.tsx').then(module => ({ default: module.SerialScreen })),
);

interface Screen extends Connected {
  readonly rfb: RefObject<RFB | null>;
}

function useScreen(vm: VmSummary, host: RefObject<HTMLDivElement | null>): Screen {
  const rfb = useRef<RFB | null>(null);
  const connected = useConnected(vm, host, (client, element, tell) => {
    const channel = new RfbChannel(client, vm.spec.id);
    const screen = new RFB(element, channel, { shared: true });
    screen.scaleViewport = true;
    screen.background = 'transparent';
    rfb.current = screen;
    screen.addEventListener('connect', tell.open);
    screen.addEventListener('disconnect', () => tell.lost(null));
    channel.open().catch((fault: unknown) => tell.lost(errorBodyOf(fault)));
    return () => {
      rfb.current = null;
      screen.disconnect();
      channel.close();
    };
  });
  return { ...connected, rfb };
}

/** Tells control which VM the person works with: it weighs more when memory is short. May fail silently. */
function useFocusTold(vmId: VmId): void {
  useEffect(() => {
    let isTold = false;
    const tell = (isSeen: boolean): void => {
      if (isSeen === isTold) return;
      isTold = isSeen;
      call('memory.focus', { vmId: isSeen ? vmId : null }).catch(() => undefined);
    };
    const look = (): void => tell(document.visibilityState === 'visible' && document.hasFocus());
    const events = ['focus', 'blur', 'visibilitychange'] as const;
    look();
    for (const event of events) window.addEventListener(event, look);
    return () => {
      for (const event of events) window.removeEventListener(event, look);
      tell(false);
    };
  }, [vmId]);
}

function Bar(props: {
  readonly screen: Screen;
  readonly hasKeyboard: boolean;
  readonly frame: RefObject<HTMLElement | null>;
  readonly choice: ReactNode;
}) {
  const { text } = useSpeech();
  const [isFit, setFit] = useState(true);
  const { rfb, state } = props.screen;
  return (
    <div className="console-bar">
      {props.choice}
      <span className="quiet" role="status">
        {state !== 'open' ? '' : props.hasKeyboard ? text.console.keyboardHere : text.console.keyboardAway}
      </span>
      <span className="grow" />
      <Button isDisabled={state !== 'open'} onPress={() => rfb.current?.sendCtrlAltDel()}>
        {text.console.ctrlAltDel}
      </Button>
      <Button
        look="icon"
        label={text.console.fit}
        isPressed={isFit}
        onPress={() => {
          setFit(!isFit);
          if (rfb.current !== null) rfb.current.scaleViewport = !isFit;
        }}
      >
        <Maximize size={16} aria-hidden />
      </Button>
      <Button
        look="icon"
        label={text.console.full}
        onPress={() => props.frame.current?.requestFullscreen().catch(() => undefined)}
      >
        <Expand size={16} aria-hidden />
      </Button>
    </div>
  );
}

function OffScreen(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const { vm } = props;
  const canStart = MAY.start.includes(vm.state.phase);
  return (
    <div className="page empty-page">
      <h2>{text.console.offTitle(vm.spec.name)}</h2>
      <p className="soft">{text.console.offText}</p>
      {canStart ? (
        <Button needs="vm.start" onPress={() => startVm(vm)}>
          {vm.state.phase === 'suspended' ? text.vm.resume : text.vm.start}
        </Button>
      ) : null}
    </div>
  );
}

function LiveScreen(props: { readonly vm: VmSummary; readonly choice: ReactNode }) {
  const { text } = useSpeech();
  const host = useRef<HTMLDivElement | null>(null);
  const frame = useRef<HTMLElement | null>(null);
  const [hasKeyboard, setKeyboard] = useState(false);
  const screen = useScreen(props.vm, host);
  useRelease(() => screen.rfb.current?.blur(), frame);
  const words = { connecting: text.console.connecting, lost: text.console.lost };
  return (
    <div className="console">
      <Bar screen={screen} hasKeyboard={hasKeyboard} frame={frame} choice={props.choice} />
      <Frame
        frame={frame}
        host={host}
        label={text.console.screen(props.vm.spec.name)}
        hasKeyboard={hasKeyboard}
        onKeyboard={setKeyboard}
        screen={{ ...screen, ...words }}
      />
    </div>
  );
}

type ConsoleOf = 'screen' | 'serial';

function LiveConsole(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const [of, setOf] = useState<ConsoleOf>('screen');
  useFocusTold(props.vm.spec.id);
  const choice = (
    <Segmented<ConsoleOf>
      label={text.console.which}
      value={of}
      options={[
        { value: 'screen', label: text.console.whichScreen },
        { value: 'serial', label: text.console.whichSerial },
      ]}
      onChange={setOf}
    />
  );
  if (of === 'screen') return <LiveScreen vm={props.vm} choice={choice} />;
  return (
    <Suspense fallback={<p className="page quiet">{text.console.serialConnecting}</p>}>
      <SerialScreen vm={props.vm} choice={choice} />
    </Suspense>
  );
}

export function ConsoleTab(props: { readonly vm: VmSummary }) {
  const { phase, pid } = props.vm.state;
  return pid !== null || phase === 'starting' ? <LiveConsole vm={props.vm} /> : <OffScreen vm={props.vm} />;
}
