// Is the history what it was, and what if its database is gone?
import type { VerifyReport } from '../../../shared/verify.ts';
import { gib, table } from './output.ts';
import { EXIT_INTEGRITY } from './report.ts';
import { type Command, type Output, type Session, theVm } from './session.ts';

function reportText(name: string, report: VerifyReport, names: ReadonlyMap<string, string>): string {
  const read = `${gib(report.checkedBytes)} compared`;
  const unknown =
    report.unrecordedBytes === 0
      ? ''
      : ` Of ${gib(report.unrecordedBytes)} nothing is recorded yet; that happens when the history is at rest.`;
  if (report.damages.length === 0) return `${name}: every point is as it was recorded; ${read}.${unknown}`;
  const rows = report.damages.map(damage => [
    damage.file,
    gib(damage.offset),
    gib(damage.length),
    [
      ...damage.momentIds.map(id => names.get(id) ?? id.slice(0, 8)),
      ...(damage.touchesNow ? ['now'] : []),
    ].join(', ') || 'no point',
    damage.what,
  ]);
  const more = report.isTruncated ? ' These are the first thousand.' : '';
  return `${name} is damaged; ${read}. Points not named here are not touched by it.${more}${unknown}\n${table(['FILE', 'AT', 'LENGTH', 'TOUCHES', 'WHAT'], rows)}`;
}

async function verify(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const { client } = session;
  await session.wait((await client.call('vm.verify', { vmId: spec.id })).taskId);
  const { report } = await client.call('vm.verify-report', { vmId: spec.id });
  const { moments, trash } = await client.call('timeline.get', { vmId: spec.id });
  if (report?.state !== 'done')
    return { text: `${spec.name} was not checked to the end.`, json: report, exit: 1 };
  const names = new Map([...moments, ...trash].map(({ id, name }) => [id as string, name]));
  const exit = report.damages.length === 0 ? 0 : EXIT_INTEGRITY;
  return { text: reportText(spec.name, report, names), json: report, exit };
}

async function compact(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const { client } = session;
  await session.wait((await client.call('vm.compact', { vmId: spec.id })).taskId);
  const { freedBytes } = (await client.call('timeline.get', { vmId: spec.id })).settle.compact;
  return { text: `${spec.name}: ${gib(freedBytes)} freed; every point is as it was.`, json: { freedBytes } };
}

async function rescue(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const replace = session.words.options.replace === true;
  const rescued = await session.client.call('vm.rescue', { vmId: spec.id, replace });
  const { points, nameless, notes } = rescued;
  const named = nameless === 0 ? '' : `; the names of ${nameless} were lost ("Recovered 1" and on)`;
  const lines = [
    `${spec.name}: ${points} points found in its files${named}. No image was changed.`,
    ...notes,
  ];
  return { text: lines.join('\n'), json: rescued };
}

export const INTEGRITY_COMMANDS: Readonly<Record<string, Command>> = {
  'vm verify': {
    usage: 'VM',
    help: 'Compare its whole history with the checksums recorded, and say which points damage touches',
    run: verify,
  },
  'vm compact': {
    usage: 'VM',
    help: 'Give back to the host what its points hold for nothing; none of them changes, and it may run meanwhile',
    run: compact,
  },
  'vm rescue': {
    usage: 'VM [--replace]',
    help: 'Its timeline is lost: make it anew from the headers of its disk images, which are not changed',
    run: rescue,
  },
};
