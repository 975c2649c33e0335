// A page that is open in a browser, as far as Ebb can tell one: a process of its own that speaks to the gateway over a
// WebSocket with a signed-in cookie. It can be killed as a browser can. Each line in is a call, each line out its end.
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { webSocketChannel } from '../../renderer/api/channel.ts';
import { Fault } from '../../shared/result.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import { type Contract, contract } from '../../shared/rpc/contract.ts';
import type { PageAnswer, PageCall } from './page.ts';

const [origin = '', cookie = ''] = process.argv.slice(2);
const socket = new WebSocket(`${origin.replace('http', 'ws')}/rpc`, { headers: { origin, cookie } });
// Listened to from the event on: what the service says first may come with it.
const client = await new Promise<Client<Contract>>((resolve, reject) => {
  socket.once('open', () =>
    resolve(connectClient(contract, webSocketChannel(socket as unknown as globalThis.WebSocket))),
  );
  socket.once('error', reject);
});
await client.ready;
const call = client.call.bind(client) as (method: string, params: unknown) => Promise<unknown>;
const tell = (answer: PageAnswer): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
tell({ id: 0, result: {} });
client.onClose(() => process.exit(0));
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line) as PageCall;
  void call(method, params).then(
    result => tell({ id, result }),
    (cause: unknown) => tell({ id, error: cause instanceof Fault ? cause.body.what : String(cause) }),
  );
}
