// `ebb point serve`, and a point's bytes on standard output: both by NBD, while this process lives.

import { Fault } from '../../../shared/result.ts';
import { connectBytes } from '../../platform/socket.ts';
import { interrupted, writeOut } from '../../platform/standard-streams.ts';
import { readExport, untilUnserved } from '../../transport/nbd-reader.ts';
import { pickMoment } from './pick.ts';
import { type OfVm, type Output, type Run, type Session, theTimeline } from './session.ts';
import type { POINT_ROWS } from './table/points.ts';

type OfPoint = OfVm & Session<{ readonly POINT: string }>;

/** The point named by the words, served until this connection ends. */
async function servePoint(session: OfPoint, socket: string | undefined) {
  const { spec, timeline } = await theTimeline(session);
  const moment = pickMoment(timeline.moments, session.given.POINT);
  const served = await session.client.call('moment.serve', {
    vmId: spec.id,
    momentId: moment.id,
    socketPath: socket === undefined ? null : session.absolute(socket),
  });
  return { moment, served };
}

export const serve: Run<(typeof POINT_ROWS)['point serve']> = async session => {
  const { moment, served } = await servePoint(session, session.given.socket);
  const { isJson } = session;
  // Our own reader notices when serving ends: control may end it, and either service may die.
  const unserved = connectBytes(served.socketPath).then(
    stream => untilUnserved(stream, served.exportName),
    () => undefined,
  );
  const gone = new Promise<void>(resolve => session.client.onClose(resolve));
  await writeOut(`${isJson ? JSON.stringify(served) : served.uri}\n`);
  if (!isJson) console.error(`Serving "${moment.name}" read-only to as many as want it, until interrupted.`);
  await Promise.race([
    interrupted(),
    Promise.race([unserved, gone]).then(() => throwWhy(session, moment.name)),
  ]);
  return { text: null, json: null };
};

/** Throws why serving ended: the refusal that asking again meets, else that a service ended. */
async function throwWhy(session: OfPoint, name: string): Promise<never> {
  const ended = (code: 'rpc.unavailable' | 'storage.unavailable', which: string): Fault =>
    new Fault({
      code,
      what: `"${name}" is no longer served: ${which} ended.`,
      safe: 'The point is as it was.',
      todo: 'Serve it again.',
    });
  await servePoint(session, undefined).catch((error: unknown) => {
    const isGone = error instanceof Fault && error.body.code === 'rpc.unavailable';
    throw isGone ? ended('rpc.unavailable', 'the Ebb service') : error;
  });
  throw ended('storage.unavailable', "Ebb's storage");
}

/** Writes every byte of the disk to standard output, in order. */
export async function streamPoint(session: OfPoint): Promise<Output> {
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
