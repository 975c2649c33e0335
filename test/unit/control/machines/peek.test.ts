// Looks at how a VM was: their names, and what can be asked of them.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { nameOf } from '../../../../electron/control/machines/peek.ts';
import { onlyLooking } from '../../../../electron/control/machines/peek-guard.ts';
import { freeName } from '../../../../shared/free-name.ts';
import type { MomentId, VmId } from '../../../../shared/ids.ts';
import { type Contract, contract } from '../../../../shared/rpc/contract.ts';
import type { CallContext, Handlers } from '../../../../shared/rpc/server.ts';
import type { ContractTable } from '../../../../shared/rpc/table.ts';
import { vmNameSchema } from '../../../../shared/vm.ts';
import type { Peek } from '../../../../shared/vm-setup.ts';

it('its name is one a VM may have, and free, whatever the VM and the point are called', () => {
  const names = fc.array(fc.string({ unit: 'binary', maxLength: 80 }), { maxLength: 4 });
  void fc.assert(
    fc.property(vmName(), fc.string({ unit: 'binary', maxLength: 200 }), names, (vm, point, others) => {
      const plain = nameOf(vm, point);
      const taken = [...others, plain.toUpperCase(), `${plain} 2`];
      const name = freeName(plain, taken);
      expect(taken.map(other => other.toLowerCase())).not.toContain(name.toLowerCase());
      expect(vmNameSchema.parse(name)).toBe(name);
    }),
  );
});
it('a name of large letters is cut between them', () => {
  const name = nameOf('waves', '🌊'.repeat(60));
  expect(vmNameSchema.parse(name)).toBe(name);
  expect(name.isWellFormed()).toBe(true);
});
const vmName = (): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    .filter(name => vmNameSchema.safeParse(name).success);

it('what would keep, change or delete something is refused; the VM it is of, and all others, are not', async () => {
  const look = '00000000-0000-4000-8000-000000000001' as VmId;
  const other = '00000000-0000-4000-8000-000000000002' as VmId;
  const peek: Peek = { vmId: other, momentId: look as string as MomentId, momentName: 'then', points: [] };
  const plain = Object.fromEntries(Object.keys(contract.methods).map(name => [name, () => 'asked']));
  const handlers = onlyLooking(plain as unknown as Handlers<Contract>, id => (id === look ? peek : null));
  const ask = handlers as unknown as Record<string, (params: object, context: CallContext) => unknown>;
  const refused: string[] = [];
  for (const name of Object.keys(contract.methods)) {
    expect(ask[name]?.({ vmId: other }, {} as CallContext), name).toBe('asked');
    expect(ask[name]?.({ vmId: null }, {} as CallContext), name).toBe('asked');
    try {
      ask[name]?.({ vmId: look }, {} as CallContext);
    } catch (error) {
      expect(error, name).toMatchObject({ body: { code: 'vm.wrong-state' } });
      refused.push(name);
    }
  }
  for (const name of [
    'vm.suspend',
    'vm.delete',
    'vm.clone',
    'vm.configure',
    'moment.take',
    'moment.peek',
    'disk.grow',
  ])
    expect(refused).toContain(name);
  for (const name of ['vm.stop', 'vm.pause', 'console.open', 'memory.show', 'audit.list'])
    expect(refused).not.toContain(name);
  // Whoever can name a VM in it has to reckon with that.
  for (const [name, row] of Object.entries((contract as ContractTable).methods))
    if (refused.includes(name) && row.params instanceof z.ZodObject && 'vmId' in row.params.shape)
      expect(row.errors, name).toContain('vm.wrong-state');
});
