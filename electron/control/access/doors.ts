// Serves channels: of programs at this computer, of the desktop's window, and of browsers that signed in. A
// browser's channel is closed when its session ends, or the policy does not allow it any more.
import * as z from 'zod';
import { type SessionId, sessionIdSchema } from '../../../shared/access.ts';
import { stackOf } from '../../../shared/result.ts';
import type { Role } from '../../../shared/roles.ts';
import type { Channel } from '../../../shared/rpc/channel.ts';
import { type Contract, contract } from '../../../shared/rpc/contract.ts';
import type { Pace } from '../../../shared/rpc/pace.ts';
import { type Caller, type Handlers, serve } from '../../../shared/rpc/server.ts';
import type { Topics } from '../../../shared/rpc/topics.ts';
import type { Clock } from '../../platform/ports.ts';
import { Told } from '../../platform/told.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import { followable } from '../policy/guard.ts';
import type { AccessDesk } from './desk.ts';

/** What the gateway says first on a browser's channel. What the session may do, control knows by itself. */
const introductionSchema = z.strictObject({ session: sessionIdSchema, address: z.string().max(100) });
const INTRODUCTION_CHARS_MAX = 1000;

export interface DoorsPorts {
  readonly desk: PolicyDesk;
  readonly access: AccessDesk;
  readonly handlers: Handlers<Contract>;
  readonly topics: Topics<Contract>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

interface Who {
  readonly kind: Caller['kind'];
  readonly role?: Role;
  readonly user?: string;
  readonly session?: SessionId;
  readonly pace?: Pace;
}

export class Doors {
  readonly #ports: DoorsPorts;
  readonly #told: Told;

  constructor(ports: DoorsPorts) {
    this.#ports = ports;
    this.#told = new Told(ports.clock, ports.log);
    ports.desk.onChange(() => ports.access.policyChanged());
  }

  serve(channel: Channel, kind: Caller['kind']): void {
    if (kind === 'browser') introduced(channel, (first, rest) => this.#browser(first, rest));
    else this.#serve(channel, { kind });
  }

  /** Only our gateway can introduce: the socket is this account's alone. Other channels are closed. */
  #browser(first: string, channel: Channel): void {
    const said = first.length > INTRODUCTION_CHARS_MAX ? null : parsed(first);
    if (said === null) return channel.close();
    let end = (): void => channel.close();
    const joined = this.#ports.access.join(said.session, said.address, () => end());
    if (joined === null) return channel.close();
    const { session, pace, leave } = joined;
    channel.onClose(leave);
    end = this.#serve(channel, { ...session, kind: 'browser', session: session.id, pace });
  }

  #serve(channel: Channel, { kind, role = 'administer', ...who }: Who): () => void {
    const { handlers, topics, log } = this.#ports;
    const whose = who.user ? `: ${who.user}` : '';
    return serve({
      table: contract,
      handlers,
      topics: followable(topics, role),
      channel,
      kind,
      role,
      ...who,
      onBug: (incident, error) => log(`incident ${incident}: ${stackOf(error)}`),
      onHangUp: why => this.#told.say(`a ${kind} connection was ended`, `${why}${whose}`),
    });
  }
}

/** Gives `take` the first message, and a channel for all messages that follow it. */
function introduced(channel: Channel, take: (first: string, rest: Channel) => void): void {
  let listener: ((text: string) => void) | null = null;
  let isFirst = true;
  const rest: Channel = {
    ...channel,
    onMessage: run => {
      listener = run;
    },
  };
  channel.onMessage(text => {
    if (!isFirst) return listener?.(text);
    isFirst = false;
    take(text, rest);
  });
}

function parsed(text: string): z.infer<typeof introductionSchema> | null {
  try {
    return introductionSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
