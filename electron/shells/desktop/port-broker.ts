// Hands the top frame of our own page one MessagePort, joined to control's socket for the window. Callers on
// that socket may name no paths, so a compromised page cannot read the person's files (DESIGN §8).
import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent, MessageChannelMain } from 'electron';
import { portChannel } from '../../transport/message-port.ts';
import { relay } from '../../transport/relay.ts';
import type { SocketChannel } from '../../transport/unix-socket.ts';
import { PAGE_ORIGIN } from './app-protocol.ts';

export interface PortBrokerOptions {
  readonly ipcMain: IpcMain;
  readonly makePorts: () => MessageChannelMain;
  readonly connectControl: () => Promise<SocketChannel>;
  readonly log: (line: string) => void;
}

/** Whether the top frame of our page sent the event. A null sender is a frame that is gone. */
export function isOurPage(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame.parent === null && frame.origin === PAGE_ORIGIN;
}

async function handOver(event: IpcMainEvent, options: PortBrokerOptions): Promise<void> {
  const service = await options.connectControl();
  // The frame may have gone, or become another page, while control was reached.
  if (!isOurPage(event)) return service.close();
  const { port1, port2 } = options.makePorts();
  relay(portChannel(port1), service);
  event.senderFrame?.postMessage('ebb:port', null, [port2]);
}

export function brokerPorts(options: PortBrokerOptions): void {
  options.ipcMain.on('ebb:connect', event => {
    if (!isOurPage(event))
      return options.log(`a port was asked for by ${event.senderFrame?.url ?? 'nobody'}`);
    // After a failure the page asks again by itself, and says meanwhile that it is not connected.
    handOver(event, options).catch((error: unknown) =>
      options.log(`control is not reached: ${String(error)}`),
    );
  });
}
