// `ebb point serve`, and a point's bytes on standard output: both read it by NBD while this process lives.

import { connectBytes } from '../../platform/socket.ts';
import { interrupted, writeOut } from '../../platform/standard-streams.ts';
import { readExport } from '../../transport/nbd-reader.ts';
import { pickMoment } from './arguments.ts';
import { argument, type Command, type Output, option, type Session, theVm } from './session.ts';

/** The point named by the words, served until this connection ends. */
export async function servePoint(session: Session, socket: string | undefined) {
  const { spec } = await theVm(session);
  const { moments } = await session.client.call('timeline.get', { vmId: spec.id });
  const moment = pickMoment(moments, argument(session, 3, 'POINT'));
  const served = await session.client.call('moment.serve', {
    vmId: spec.id,
    momentId: moment.id,
    socketPath: socket === undefined ? null : session.absolute(socket),
  });
  return { moment, served };
}

async function serve(session: Session): Promise<Output> {
  const { moment, served } = await servePoint(session, option(session, 'socket'));
  const isJson = session.words.options.json === true;
  await writeOut(`${isJson ? JSON.stringify(served) : served.uri}\n`);
  if (!isJson) console.error(`Serving "${moment.name}" read-only to as many as want it, until interrupted.`);
  await interrupted();
  return { text: null, json: null };
}

/** Every byte of the disk, in order. */
export async function streamPoint(session: Session): Promise<Output> {
  const { served } = await servePoint(session, undefined);
  const stream = await connectBytes(served.socketPath);
  let told = 0;
  await readExport(stream, served.exportName, async (piece, offset, sizeBytes) => {
    await writeOut(piece);
    if (!process.stderr.isTTY || offset - told < 64 * 2 ** 20) return;
    told = offset;
    process.stderr.write(`\r${offset + piece.length} of ${sizeBytes} bytes`);
  });
  return { text: null, json: null };
}

export const SERVE_COMMAND: Command = {
  usage: 'VM POINT [--socket PATH]',
  help: 'Serve a point read-only by NBD until interrupted, and print its URI: nbd+unix:///…',
  run: serve,
};
