// Who may do what from elsewhere: every method and topic of the contract as every role, over the wire.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AccessSession } from '../../shared/access.ts';
import { Fault } from '../../shared/result.ts';
import { mayCall, mayFollow, ROLES, type Role } from '../../shared/roles.ts';
import type { Client } from '../../shared/rpc/client.ts';
import { type Contract, contract } from '../../shared/rpc/contract.ts';
import type { Frame } from '../../shared/rpc/frame.ts';
import { contractHash } from '../../shared/rpc/hash.ts';
import type { ContractTable, MethodName } from '../../shared/rpc/table.ts';
import { channelOf, clientOf, signIn } from '../support/browsers.ts';
import { Ebb } from '../support/ebb.ts';
import { exampleOf } from '../support/example.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Let in, each ends what is asked: then nobody would answer the rest. */
const ENDS = 'app.quit';
const LEAVES = 'headless.sign-out';
const METHODS = (Object.keys(contract.methods) as MethodName<Contract>[]).filter(
  method => method !== ENDS && method !== LEAVES,
);
const TOPICS = Object.entries((contract as ContractTable).topics);
let ebb: Ebb;
const clients = new Map<Role, Client<Contract>>();
const sessions = new Map<Role, AccessSession>();
const sessionOf = (role: Role): AccessSession => {
  const found = sessions.get(role);
  if (found === undefined) throw new Error(`nobody may ${role}`);
  return found;
};

beforeAll(async () => {
  ebb = await Ebb.start();
  for (const role of ROLES) {
    sessions.set(role, await signIn(ebb, role, `token of ${role}`));
    clients.set(role, await clientOf(ebb, sessionOf(role)));
  }
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await ebb?.dispose();
});

/** By its role; what is refused to all browsers for another reason, or not found, was let in. */
async function isRefused(role: Role, method: MethodName<Contract>): Promise<boolean> {
  const params = exampleOf(contract.methods[method].params, 'input');
  const client = clients.get(role) as unknown as { call(method: string, params: unknown): Promise<unknown> };
  const error = await client.call(method, params).then(
    () => null,
    (cause: unknown) => cause,
  );
  if (error !== null && !(error instanceof Fault)) throw error;
  return error?.body.code === 'rpc.denied' && /needs the right to|only for who is at/.test(error.body.what);
}

async function refusedMethods(role: Role): Promise<string[]> {
  const refused: string[] = [];
  for (const method of METHODS) if (await isRefused(role, method)) refused.push(method);
  return refused;
}

/** The answer to a question that comes after says that a subscription was not refused. */
async function refusedTopics(role: Role): Promise<string[]> {
  const channel = await channelOf(ebb, sessionOf(role));
  const refused: number[] = [];
  const isDone = new Promise<void>(resolve =>
    channel.onMessage(text => {
      const frame = JSON.parse(text) as Frame;
      if (frame.t === 'fault') refused.push(frame.id);
      if (frame.t === 'reply') resolve();
    }),
  );
  channel.send(JSON.stringify({ t: 'hello', protocol: 1, contract: contractHash(contract) }));
  for (const [index, [topic, { keyed }]] of TOPICS.entries()) {
    const key = keyed ? '00000000-0000-4000-8000-000000000001' : null;
    channel.send(JSON.stringify({ t: 'subscribe', id: index + 1, topic, key }));
  }
  channel.send(JSON.stringify({ t: 'request', id: 1000, method: 'app.info', params: {} }));
  await isDone;
  channel.close();
  return refused.map(id => TOPICS[id - 1]?.[0] ?? '');
}

describe.each(ROLES)('who may %s', role => {
  it('may call what the table says, and nothing else', async () => {
    expect(await refusedMethods(role)).toEqual(METHODS.filter(method => !mayCall(role, method)));
  });

  it('may follow what the table says, and nothing else', async () => {
    expect(await refusedTopics(role)).toEqual(
      TOPICS.map(([topic]) => topic).filter(topic => !mayFollow(role, topic)),
    );
  });
});

it('who may only look changes nothing: no command and no task of the contract', () => {
  const changing = METHODS.filter(method => contract.methods[method].kind !== 'query');
  expect(changing.filter(method => mayCall('view', method))).toEqual([]);
  expect(changing.length).toBeGreaterThan(30);
});

it('only who may administer ends Ebb', async () => {
  expect(await isRefused('view', ENDS)).toBe(true);
  expect(await isRefused('operate', ENDS)).toBe(true);
  expect(mayCall('administer', ENDS)).toBe(true);
});

it('whoever came in may leave, and is out at once', async () => {
  const session = await signIn(ebb, 'view');
  const client = await clientOf(ebb, session);
  const gone = new Promise<void>(resolve => client.onClose(resolve));
  await client.call(LEAVES, {}).catch(() => undefined);
  await gone;
  expect((await ebb.call('headless.sessions', {})).sessions.map(({ id }) => id)).not.toContain(session.id);
});

it('each role may do what the one before it may', () => {
  for (const method of METHODS)
    for (const [index, role] of ROLES.entries())
      if (mayCall(role, method))
        for (const more of ROLES.slice(index)) expect(mayCall(more, method)).toBe(true);
});

it('what is refused is in the audit, and says what would be needed', async () => {
  await ebb.createSample('one', { minMib: 64, maxMib: 128, diskMib: 16 });
  const [vm] = (await ebb.call('vm.list', {})).vms;
  const vmId = vm?.spec.id;
  if (vmId === undefined) throw new Error('no VM');
  await expect(clients.get('view')?.call('vm.start', { vmId })).rejects.toMatchObject({
    body: { code: 'rpc.denied', what: expect.stringContaining('operate') },
  });
  const { entries } = await ebb.call('audit.list', { limit: 20, action: 'vm.start' });
  expect(entries[0]).toMatchObject({ via: 'browser', by: 'token of view', vmId, outcome: 'denied' });
});
