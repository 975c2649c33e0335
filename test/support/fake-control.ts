// A make-believe control service over WebSocket, for looking at the window without QEMU:
//   node test/support/fake-control.ts [world] [port]      worlds: full (default), empty, slow, crowded, troubled, hostile
// then open the printed address (it serves dist/renderer) or run vite dev beside it. With EBB_FAKE_VNC=<unix
// socket of a QEMU -vnc unix:…> the console is a real screen. Development only; e2e runs on the real service.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WebSocketServer } from 'ws';
import { webSocketChannel } from '../../electron/transport/websocket.ts';
import type { FileToken } from '../../shared/ids.ts';
import { contract } from '../../shared/rpc/contract.ts';
import { FRAME_BYTES_MAX } from '../../shared/rpc/frame.ts';
import { serve } from '../../shared/rpc/server.ts';
import { FakeAudit } from './fake-audit.ts';
import { handlers } from './fake-handlers.ts';
import { FakeControl } from './fake-service.ts';
import { fakeId } from './fake-world.ts';

const CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws:; img-src 'self' data: blob:";
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export interface FakeServer {
  readonly url: string;
  readonly control: FakeControl;
  /** Ends every connection; pages open them again. */
  readonly drop: () => void;
  readonly close: () => void;
}

/** Serves the built page and the fake service on loopback until closed; its world moves every `everyMs`, 0: never. */
export async function startFakeControl(kind: string, port: number, everyMs = 1000): Promise<FakeServer> {
  const control = new FakeControl(kind);
  const audit = new FakeAudit(control, kind);
  const root = new URL('../../dist/renderer', import.meta.url).pathname;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/session') return void response.writeHead(204).end();
    if (path === '/upload') {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on('end', () => {
        const name = new URL(request.url ?? '/', 'http://localhost').searchParams.get('name') ?? 'file';
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ file: fakeId() as FileToken, name, bytes }));
      });
      return;
    }
    try {
      const file = join(root, normalize(path === '/' ? '/index.html' : path));
      const body = readFileSync(file);
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': CSP,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  const sockets = new WebSocketServer({ server, path: '/rpc', maxPayload: FRAME_BYTES_MAX });
  sockets.on('connection', socket => {
    serve({
      table: contract,
      handlers: audit.around(handlers(control)),
      topics: control.topics,
      channel: webSocketChannel(socket),
      kind: 'browser',
      onBug: (incident, error) => console.error(incident, error),
    });
  });
  const timer = everyMs === 0 ? undefined : setInterval(() => control.tick(everyMs), everyMs);
  const drop = (): void => {
    for (const client of sockets.clients) client.terminate();
  };
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const at = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${at}/`,
    control,
    drop,
    close: () => {
      clearInterval(timer);
      drop();
      server.close();
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { url } = await startFakeControl(process.argv[2] ?? 'full', Number(process.argv[3] ?? 7788));
  console.log(`The make-believe service is at ${url}`);
}
