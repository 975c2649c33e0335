// Sends a file that an export wrote to a browser. The page names it by a ticket, never by a path; the
// download ends with the session.
import type { SessionId } from '../../../shared/access.ts';
import { type DownloadTicket, downloadTicketSchema } from '../../../shared/ids.ts';
import type { SeenFile, WholeFile } from '../../platform/whole-file.ts';
import type { WebAnswer, WebRequest } from '../../transport/web-server.ts';
import { type Lease, until } from './lease.ts';

const DOWNLOADS_MAX = 4;

export interface DownloadPorts {
  /** Faults: file.unknown-token, file.unreadable, policy.denied, rpc.unavailable. */
  readonly find: (
    ticket: DownloadTicket,
    session: SessionId,
  ) => Promise<SeenFile & { readonly name: string }>;
  readonly open: (seen: SeenFile) => Promise<WholeFile | null>;
}

export class Downloads {
  readonly #ports: DownloadPorts;
  #active = 0;

  constructor(ports: DownloadPorts) {
    this.#ports = ports;
  }

  /** Takes one of the slots; the returned function gives it back. Null: all are taken. */
  slot(): (() => void) | null {
    if (this.#active >= DOWNLOADS_MAX) return null;
    this.#active += 1;
    return () => {
      this.#active -= 1;
    };
  }

  /** Null: the ticket is good for nothing. `lease` and `slot` end with the download, however that ends. */
  async answer(
    request: WebRequest,
    session: SessionId,
    { lease, slot }: { readonly lease: Lease; readonly slot: () => void },
  ): Promise<WebAnswer | null> {
    const ends = [(): void => lease.end(), slot];
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      for (const run of ends) run();
    };
    try {
      const ticket = downloadTicketSchema.safeParse(request.query.get('ticket')).data;
      const found = ticket === undefined ? null : await this.#ports.find(ticket, session);
      const file = found === null ? null : await this.#ports.open(found);
      if (found === null || file === null) {
        end();
        return null;
      }
      ends.push(file.close);
      // `abort` also comes when all was sent.
      request.signal.addEventListener('abort', end, { once: true });
      if (request.signal.aborted) end();
      const signal = AbortSignal.any([request.signal, lease.signal]);
      return { status: 200, headers: headersOf(found), body: until(lease.signal, file.chunks), signal };
    } catch (cause) {
      end();
      throw cause;
    }
  }
}

const headersOf = ({ name, bytes }: { readonly name: string; readonly bytes: number }) => ({
  'content-type': 'application/octet-stream',
  'content-length': String(bytes),
  'content-disposition': `attachment; filename*=UTF-8''${encoded(name)}`,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
});

/** RFC 8187. */
const encoded = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    character => `%${character.charCodeAt(0).toString(16)}`,
  );
