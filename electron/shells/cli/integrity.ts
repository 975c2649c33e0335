// `ebb vm verify`, `compact`, `rescue` and `settle`: checks whether history is unchanged, gives unused space
// back, rebuilds a lost timeline database, and steers background work.
import { bytesText } from '../../../shared/units.ts';
import type { VerifyReport } from '../../../shared/verify.ts';
import { EXIT_FAILED, EXIT_INTEGRITY, EXIT_OK } from './exits.ts';
import { settleText, table } from './output.ts';
import { type Run, theVm } from './session.ts';
import type { VM_ROWS } from './table/vms.ts';

type Rows = typeof VM_ROWS;

function reportText(name: string, report: VerifyReport, names: ReadonlyMap<string, string>): string {
  const read = `${bytesText(report.checkedBytes)} compared`;
  const unknown =
    report.unrecordedBytes === 0
      ? ''
      : ` Of ${bytesText(report.unrecordedBytes)} nothing is recorded yet; that happens when the history is at rest.`;
  if (report.damages.length === 0) return `${name}: every point is as it was recorded; ${read}.${unknown}`;
  const rows = report.damages.map(damage => [
    damage.file,
    bytesText(damage.offset),
    bytesText(damage.length),
    [
      ...damage.momentIds.map(id => names.get(id) ?? id.slice(0, 8)),
      ...(damage.touchesNow ? ['now'] : []),
    ].join(', ') || 'no point',
    damage.what,
  ]);
  const more = report.isTruncated ? ' These are the first thousand.' : '';
  return `${name} is damaged; ${read}. Points not named here are not touched by it.${more}${unknown}\n${table(['FILE', 'AT', 'LENGTH', 'TOUCHES', 'WHAT'], rows)}`;
}

export const verifyVm: Run<Rows['vm verify']> = async session => {
  const { spec } = await theVm(session);
  const { client } = session;
  await session.wait((await client.call('vm.verify', { vmId: spec.id })).taskId);
  const { report } = await client.call('vm.verify-report', { vmId: spec.id });
  const { moments, trash } = await client.call('timeline.get', { vmId: spec.id });
  if (report?.state !== 'done')
    return { text: `${spec.name} was not checked to the end.`, json: report, exit: EXIT_FAILED };
  const names = new Map([...moments, ...trash].map(({ id, name }) => [id as string, name]));
  const exit = report.damages.length === 0 ? EXIT_OK : EXIT_INTEGRITY;
  return { text: reportText(spec.name, report, names), json: report, exit };
};

export const compactVm: Run<Rows['vm compact']> = async session => {
  const { spec } = await theVm(session);
  const { client } = session;
  await session.wait((await client.call('vm.compact', { vmId: spec.id })).taskId);
  const { freedBytes } = (await client.call('timeline.get', { vmId: spec.id })).settle.compact;
  return {
    text: `${spec.name}: ${bytesText(freedBytes)} freed; every point is as it was.`,
    json: { freedBytes },
  };
};

export const rescueVm: Run<Rows['vm rescue']> = async session => {
  const { spec } = await theVm(session);
  const replace = session.given.replace;
  const rescued = await session.client.call('vm.rescue', { vmId: spec.id, replace });
  const { points, nameless, notes } = rescued;
  const named = nameless === 0 ? '' : `; the names of ${nameless} were lost ("Recovered 1" and on)`;
  const lines = [
    `${spec.name}: ${points} points found in its files${named}. No image was changed.`,
    ...notes,
  ];
  return { text: lines.join('\n'), json: rescued };
};

export const settleVm: Run<Rows['vm settle']> = async session => {
  const { spec } = await theVm(session);
  await session.client.call('settle.set', { vmId: spec.id, to: session.given.ORDER });
  const { settle } = await session.client.call('timeline.get', { vmId: spec.id });
  return { text: `${spec.name}: ${settleText(settle)}.`, json: settle };
};
