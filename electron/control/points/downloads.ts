// Lets browsers of other computers fetch what exports wrote. For a task that is done there is a ticket: good
// once, for one session, for a minute; the gateway fetches the file by it. A file that is not the very one
// that was written goes to nobody.

import type { SessionId } from '../../../shared/access.ts';
import { type DownloadTicket, downloadTicketSchema, type TaskId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { CallContext } from '../../../shared/rpc/server.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { ChosenFile } from '../files.ts';
import { type ExportOrder, exportIn } from '../tasks/task-orders.ts';
import type { Made } from '../tasks/tasks.ts';
import { isWritten } from './export-point.ts';

const LIFE_MS = 60_000;
const TICKETS_MAX = 64;

export interface DownloadsPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** What a task that is done made; null: it is not done, or made no file. */
  readonly made: (taskId: TaskId) => Made | null;
  readonly look: (path: string) => ChosenFile | null;
  /** May it leave this computer? Fault policy.denied. */
  readonly require: (order: ExportOrder) => void;
  /** Tells the audit that the file may leave no more; `user`, because the gateway that asks is nobody. */
  readonly denied: (user: string, order: ExportOrder, code: string) => void;
}

type Asker = Pick<CallContext['caller'], 'session' | 'user'>;

interface Ticket {
  readonly taskId: TaskId;
  readonly asker: Asker;
  readonly untilMs: number;
}

export class Downloads {
  readonly #ports: DownloadsPorts;
  readonly #tickets = new Map<DownloadTicket, Ticket>();

  constructor(ports: DownloadsPorts) {
    this.#ports = ports;
  }

  /** Faults: file.unreadable, policy.denied. */
  ticket(taskId: TaskId, { session, user }: Asker): DownloadTicket {
    this.#written(taskId, this.#ports.require);
    const now = this.#ports.clock.monotonicMs();
    for (const [known, { untilMs }] of this.#tickets)
      if (untilMs < now || this.#tickets.size >= TICKETS_MAX) this.#tickets.delete(known);
    const ticket = downloadTicketSchema.parse(this.#ports.random.uuid());
    this.#tickets.set(ticket, { taskId, asker: { session, user }, untilMs: now + LIFE_MS });
    return ticket;
  }

  /** Faults: file.unknown-token, file.unreadable, policy.denied. */
  take(ticket: DownloadTicket, session: SessionId): ChosenFile {
    const found = this.#tickets.get(ticket);
    // A session that comes with another's ticket does not use it up.
    if (found === undefined || found.asker.session !== session) throw noTicket();
    this.#tickets.delete(ticket);
    if (found.untilMs < this.#ports.clock.monotonicMs()) throw noTicket();
    return this.#written(found.taskId, order => {
      try {
        this.#ports.require(order);
      } catch (cause) {
        if (cause instanceof Fault) this.#ports.denied(found.asker.user, order, cause.body.code);
        throw cause;
      }
    });
  }

  #written(taskId: TaskId, require: DownloadsPorts['require']): ChosenFile {
    const { made, look } = this.#ports;
    const done = made(taskId);
    const order = done === null ? null : exportIn(done.order);
    if (done === null || order === null) throw gone();
    require(order);
    const file = isWritten(order.path, { look }, done) ? look(order.path) : null;
    // A link in the file's place would lead to a file that the policy was not asked about.
    if (file === null || file.path !== order.path) throw gone();
    return file;
  }
}

const gone = (): Fault =>
  new Fault({
    code: 'file.unreadable',
    what: 'The file is not there any more as it was written, or the service has been restarted since.',
    safe: 'The point is as it was.',
    todo: 'Export the point again.',
  });

const noTicket = (): Fault =>
  new Fault({
    code: 'file.unknown-token',
    what: 'This download was fetched already, waited for more than a minute, or is not of this sign-in.',
    safe: 'The file is where it was written.',
    todo: 'Press Download again.',
  });
