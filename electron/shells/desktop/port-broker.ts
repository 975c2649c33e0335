// Hands the top frame of our own page one MessagePort, joined to control's socket for browsers: the page may name no
// paths there, so a page gone bad cannot read the person's files (DESIGN §8).
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

/** The top frame of our page; null senders are frames that are gone. */
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
    // The page asks again by itself, and says meanwhile that it is not connected.
    handOver(event, options).catch((error: unknown) =>
      options.log(`control is not reached: ${String(error)}`),
    );
  });
}
