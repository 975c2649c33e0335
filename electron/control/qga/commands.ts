// What else an agent is asked: what the guest is, to shut down, to set its clock. Every answer is a guest's
// word: parsed, bounded, and never relied upon.
import * as z from 'zod';
import { Fault } from '../../../shared/result.ts';
import type { GuestInfo } from '../../../shared/vm.ts';
import type { Clock } from '../../platform/ports.ts';
import type { AgentLine } from './line.ts';

const SHORT_MS = 2_000;
/** A guest that was just resumed takes a moment to listen. */
const LISTENS_MS = 60_000;
const AGAIN_MS = 2_000;
const ADDRESSES_MAX = 16;
const NS_PER_MS = 1_000_000;

/** Drops control characters, and those that turn the direction of text round. */
const plain = (text: string): string => text.replace(/\p{C}/gu, '').slice(0, 200);
const words = z.string().transform(plain);
const interfaces = z.array(
  z.object({
    'ip-addresses': z
      .array(z.object({ 'ip-address': z.union([z.ipv4(), z.ipv6()]) }).or(z.unknown().transform(() => null)))
      .catch([]),
  }),
);
const osInfo = z.object({ 'pretty-name': words.optional(), name: words.optional() });
const hostName = z.object({ 'host-name': words });

/** Null: no agent listens. What the agent refuses, or answers otherwise, is left out. */
export async function guestInfo(line: AgentLine): Promise<GuestInfo | null> {
  const agent = await line.get().catch(() => null);
  if (agent === null) return null;
  const ask = async <T>(command: string, schema: z.ZodType<T>): Promise<T | null> => {
    try {
      return schema.safeParse(await agent.ask(command, undefined, SHORT_MS)).data ?? null;
    } catch {
      return null;
    }
  };
  const [host, os, ports] = [
    await ask('guest-get-host-name', hostName),
    await ask('guest-get-osinfo', osInfo),
    await ask('guest-network-get-interfaces', interfaces),
  ];
  return {
    hostName: host?.['host-name'] ?? null,
    os: os?.['pretty-name'] ?? os?.name ?? null,
    addresses: addressesOf(ports ?? []),
  };
}

const addressesOf = (ports: z.infer<typeof interfaces>): string[] =>
  ports
    .flatMap(port => port['ip-addresses'])
    .flatMap(entry => entry?.['ip-address'] ?? [])
    .filter(address => !address.startsWith('127.') && address !== '::1')
    .slice(0, ADDRESSES_MAX);

/** True: the guest was told. No answer counts, too: a guest that shuts down may be gone before it answers. */
export async function askShutdown(line: AgentLine): Promise<boolean> {
  const agent = await line.get().catch(() => null);
  if (agent === null) return false;
  try {
    await agent.ask('guest-shutdown', { mode: 'powerdown' }, SHORT_MS);
    return true;
  } catch (cause) {
    return !(cause instanceof Fault && cause.body.code === 'qemu.refused');
  }
}

/** Sets the clock of a guest whose time stood still, once an agent listens; tries for a minute at most. */
export async function setGuestTime(
  line: AgentLine,
  clock: Clock,
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  const untilMs = clock.monotonicMs() + LISTENS_MS;
  while (clock.monotonicMs() < untilMs) {
    const agent = await line.get().catch(() => null);
    const told = await agent?.ask('guest-set-time', { time: clock.wallMs() * NS_PER_MS }).then(
      () => true,
      // An agent that may not, or cannot, will not later.
      cause => cause instanceof Fault && cause.body.code === 'qemu.refused',
    );
    if (told === true) return;
    await wait(AGAIN_MS);
  }
}
