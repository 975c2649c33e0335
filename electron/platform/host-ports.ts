// Whether a port of this computer's loopback can be listened on now. Asked by listening, which is what QEMU will do.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

export type PortState = 'free' | 'taken' | 'denied';

const stateOf = ({ code }: NodeJS.ErrnoException): PortState => (code === 'EACCES' ? 'denied' : 'taken');

export function portState(protocol: 'tcp' | 'udp', port: number): Promise<PortState> {
  const host = '127.0.0.1';
  return new Promise(resolve => {
    if (protocol === 'tcp') {
      const server = createServer();
      server.once('error', cause => resolve(stateOf(cause)));
      server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')));
      return;
    }
    const socket = createSocket('udp4');
    socket.once('error', cause => {
      socket.close();
      resolve(stateOf(cause));
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve('free')));
  });
}
