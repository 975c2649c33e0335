// Channels over what a page has: a WebSocket in a browser, a MessagePort in the desktop shell. One message is one
// frame of text. Never speaks the contract itself.
import type { Channel } from '../../shared/rpc/channel.ts';
import { portChannel } from '../../shared/rpc/port-channel.ts';

/** How long to wait before asking a WebSocket again whether it has sent: it has no drain event. */
const DRAIN_POLL_MS = 30;

/** The socket must be open already: the client says hello at once. */
export function webSocketChannel(socket: WebSocket): Channel {
  return {
    send: text => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    bufferedBytes: () => socket.bufferedAmount,
    onDrain: run => {
      setTimeout(run, DRAIN_POLL_MS);
    },
    onMessage: listener => {
      socket.addEventListener('message', event => {
        if (typeof event.data === 'string') listener(event.data);
        else socket.close();
      });
    },
    onClose: listener => {
      if (socket.readyState === WebSocket.CLOSED) queueMicrotask(listener);
      else socket.addEventListener('close', () => listener(), { once: true });
    },
    close: () => socket.close(),
  };
}

/** `shared/rpc/port-channel.ts` acknowledges what was read: ports have no back-pressure of their own. */
export function messagePortChannel(port: MessagePort): Channel {
  const channel = portChannel({
    post: message => port.postMessage(message),
    onMessage: listener => port.addEventListener('message', event => listener(event.data)),
    onClose: listener => port.addEventListener('close', listener),
    close: () => port.close(),
  });
  port.start();
  return channel;
}
