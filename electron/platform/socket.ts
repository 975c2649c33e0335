// Connecting to unix sockets others listen at (QEMU's), and the line reader over such a stream.
import { chmodSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { Fault } from '../../shared/result.ts';
import { type ByteStream, byteStream } from './byte-stream.ts';

/** Throws Fault qemu.refused when nothing listens. */
export function connectBytes(path: string): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', cause =>
      reject(
        new Fault(
          {
            code: 'qemu.refused',
            what: `Nothing answers at ${path}.`,
            safe: 'Nothing was changed.',
            todo: 'Look whether the VM still runs.',
          },
          cause,
        ),
      ),
    );
    socket.once('connect', () => resolve(byteStream(socket)));
  });
}

/** Calls `each` per line; a line longer than `maxBytes` ends the stream: the other end is broken or hostile. */
export function onLines(stream: ByteStream, maxBytes: number, each: (line: string) => void): void {
  let held = '';
  const decoder = new TextDecoder();
  stream.onData(chunk => {
    held += decoder.decode(chunk, { stream: true });
    for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
      const line = held.slice(0, end);
      held = held.slice(end + 1);
      each(line);
    }
    if (held.length > maxBytes) stream.destroy();
  });
}

/** Removes a socket file that a dead process left behind; on Windows pipes leave none. */
export function clearSocketFile(path: string): void {
  if (process.platform !== 'win32') rmSync(path, { force: true });
}

/** 0600; its folder is 0700 already (DESIGN §8). */
export function closeSocketFile(path: string): void {
  if (process.platform !== 'win32') chmodSync(path, 0o600);
}
