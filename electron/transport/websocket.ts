// A Channel over a server's WebSocket (package ws). One text message is one frame; binary closes it.
import type { WebSocket } from 'ws';
import type { Channel } from '../../shared/rpc/channel.ts';

/** The server must be made with `maxPayload: FRAME_BYTES_MAX`. */
export function webSocketChannel(socket: WebSocket): Channel {
  const drains: (() => void)[] = [];
  const sent = (): void => {
    for (const run of drains.splice(0)) run();
  };
  socket.on('error', () => socket.terminate());
  return {
    send: text => {
      if (socket.readyState === socket.OPEN) socket.send(text, sent);
    },
    bufferedBytes: () => socket.bufferedAmount,
    onDrain: run => {
      if (socket.bufferedAmount > 0) drains.push(run);
      else setImmediate(run);
    },
    onMessage: listener => {
      socket.on('message', (data, isBinary) => {
        if (isBinary) socket.close(1003, 'text only');
        else listener(data.toString());
      });
    },
    onClose: listener => {
      if (socket.readyState === socket.CLOSED) setImmediate(listener);
      else socket.once('close', listener);
    },
    close: () => socket.close(),
  };
}
