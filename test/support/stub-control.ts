// What answers at control's two sockets while a shell is tested: the real contract with example answers, and the one
// difference between its callers. Remembers who asked what.
import { takeLock } from '../../electron/platform/lock.ts';
import { ebbPaths, makeFolders } from '../../electron/platform/paths.ts';
import { listenUnix } from '../../electron/transport/unix-socket.ts';
import { Fault } from '../../shared/result.ts';
import { contract } from '../../shared/rpc/contract.ts';
import { type Caller, type Handlers, serve } from '../../shared/rpc/server.ts';
import { Topics } from '../../shared/rpc/topics.ts';
import { exampleOf } from './example.ts';

const FILE = '00000000-0000-4000-8000-00000000000f';

export interface StubControl {
  readonly calls: { readonly method: string; readonly kind: Caller['kind']; readonly params: unknown }[];
  close(): Promise<void>;
}

export async function stubControl(dataFolder: string): Promise<StubControl> {
  const paths = ebbPaths(dataFolder);
  makeFolders(paths);
  // Else a shell takes it for dead and starts a real one.
  const lock = takeLock(paths.controlLock);
  const calls: StubControl['calls'] = [];
  const answers = Object.entries(contract.methods).map(([method, row]) => [
    method,
    (params: { path?: string }, { caller }: { caller: Caller }) => {
      // Told by the shell by itself, whenever it comes to it.
      if (method !== 'app.power') calls.push({ method, kind: caller.kind, params });
      if (method !== 'file.register') return exampleOf(row.result, 'output');
      if (caller.kind !== 'local') throw refusal('rpc.denied');
      if (params.path?.includes('missing') === true) throw refusal('file.unreadable');
      return { file: FILE, name: 'disk.vhd', bytes: 42 };
    },
  ]);
  const handlers = Object.fromEntries(answers) as Handlers<typeof contract>;
  const topics = new Topics(contract);
  const listen = (path: string, kind: Caller['kind']) =>
    listenUnix(path, channel =>
      serve({ table: contract, handlers, topics, channel, kind, onBug: (_, error) => console.error(error) }),
    );
  const listeners = [await listen(paths.controlSocket, 'local'), await listen(paths.windowSocket, 'window')];
  return {
    calls,
    close: async () => {
      if (lock.ok) lock.release();
      await Promise.all(listeners.map(listener => listener.close()));
    },
  };
}

const refusal = (code: 'rpc.denied' | 'file.unreadable'): Fault =>
  new Fault({ code, what: 'It cannot be read.', safe: 'Nothing was changed.', todo: 'Choose another.' });
