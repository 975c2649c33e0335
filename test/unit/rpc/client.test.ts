import { describe, expect, it } from 'vitest';
import { reopeningClient } from '../../../electron/transport/local-client.ts';
import { Fault } from '../../../shared/result.ts';
import type { Channel } from '../../../shared/rpc/channel.ts';
import { connectClient } from '../../../shared/rpc/client.ts';
import { EchoService, echoContract, helloFrame } from '../../support/echo-service.ts';
import { memoryPair } from '../../support/memory-channel.ts';
import { until } from '../../support/until.ts';

/** A service played by hand: says hello, then whatever the test says. */
function played() {
  const { near, far } = memoryPair();
  const heard: { t: string; id?: number }[] = [];
  far.onMessage(text => heard.push(JSON.parse(text)));
  const client = connectClient(echoContract, near);
  far.send(helloFrame());
  return { client, heard, say: (frame: unknown) => far.send(JSON.stringify(frame)), far };
}
const code = (error: unknown): string => (error instanceof Fault ? error.body.code : String(error));

describe('rpc client', () => {
  it('refuses an answer that is not of the form: a page may be older than the service', async () => {
    const { client, say } = played();
    const call = client.call('echo', { text: 'a' }).catch(code);
    say({ t: 'reply', id: 1, result: { text: 7 } });
    expect(await call).toBe('rpc.version-mismatch');
  });

  it('ends a subscription whose event is not of the form, and tells the service', async () => {
    const { client, heard, say } = played();
    const ends: string[] = [];
    client.subscribe(
      'state',
      null,
      () => ends.push('heard'),
      error => ends.push(error.code),
    );
    say({ t: 'event', id: 1, revision: 1, payload: { n: 'many' } });
    await until('it ended', () => ends.length > 0 && heard.some(frame => frame.t === 'unsubscribe'));
    say({ t: 'event', id: 1, revision: 2, payload: { n: 1, pad: '' } });
    await client.call('echo', { text: '' }, { signal: AbortSignal.abort() }).catch(() => undefined);
    expect(ends).toEqual(['rpc.version-mismatch']);
  });

  it('ignores answers and events nobody waits for', async () => {
    const { client, say } = played();
    say({ t: 'reply', id: 99, result: {} });
    say({ t: 'event', id: 98, revision: 1, payload: {} });
    say({ t: 'fault', id: 97, error: { code: 'internal', what: '', safe: '', todo: '' } });
    const call = client.call('echo', { text: 'a' });
    say({ t: 'reply', id: 1, result: { text: 'a' } });
    expect(await call).toEqual({ text: 'a' });
  });

  it.each(['garbage', '{"t":"request","id":1,"method":"echo","params":{}}', '{"t":"event","id":1}'])(
    'hangs up on a service that says %s',
    async text => {
      const { client, far } = played();
      const call = client.call('echo', { text: 'a' }).catch(code);
      far.send(text);
      expect(await call).toBe('rpc.unavailable');
    },
  );

  it('leaves no listener on a signal that outlives its calls', async () => {
    const { near, far } = memoryPair();
    new EchoService().accept(far);
    const client = connectClient(echoContract, near);
    const { signal } = new AbortController();
    let listening = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listening += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listening -= 1;
      remove(...args);
    };
    for (let n = 0; n < 5; n++) await client.call('echo', { text: '' }, { signal });
    expect(listening).toBe(0);
  });

  it('refuses at once after its channel closed, and tells late subscribers', async () => {
    const { client, far } = played();
    far.close();
    expect(await client.call('echo', { text: '' }).catch(code)).toBe('rpc.unavailable');
    const end = new Promise<string>(resolve =>
      client.subscribe(
        'state',
        null,
        () => undefined,
        error => resolve(error.code),
      ),
    );
    expect(await end).toBe('rpc.unavailable');
  });
});

describe('a client that is opened again', () => {
  it('opens once for many callers, again after its channel closed, and again after a failure', async () => {
    const service = new EchoService();
    const opened: Channel[] = [];
    let fails = false;
    const client = reopeningClient(echoContract, async () => {
      if (fails) throw new Error('nobody there');
      const { near, far } = memoryPair();
      service.accept(far);
      opened.push(near);
      return near;
    });
    const [one, other] = await Promise.all([client(), client()]);
    expect(one).toBe(other);
    expect(opened).toHaveLength(1);
    opened[0]?.close();
    fails = true;
    await expect(client()).rejects.toThrow('nobody there');
    fails = false;
    expect(await (await client()).call('echo', { text: 'again' })).toEqual({ text: 'again' });
    expect(opened).toHaveLength(2);
  });
});
