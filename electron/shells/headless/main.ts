// The headless shell: `node main.ts [--data DIR] [--port N] [--role view|operate|administer]`. Finds or starts control, serves the page on loopback
// and prints the link that signs a browser in once. Ending it ends no VM.
import { parseArgs } from 'node:util';
import { type ErrorBody, errorText } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import { ROLES } from '../../../shared/roles.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import { ensureControl, rejoinControl } from '../../control/start-on-demand.ts';
import { openFolder } from '../../platform/folder.ts';
import { startedAt } from '../../platform/lock-owner.ts';
import { openLog, openLogFile } from '../../platform/log.ts';
import { defaultDataFolder } from '../../platform/paths.ts';
import { systemRandom } from '../../platform/random.ts';
import { openWebFiles } from '../../platform/web-files.ts';
import { reopeningClient } from '../../transport/local-client.ts';
import { listenWeb } from '../../transport/web-server.ts';
import { Gateway } from './gateway.ts';
import { Sessions } from './sessions.ts';
import { Uploads } from './upload.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    port: { type: 'string' },
    role: { type: 'string', default: 'administer' },
  },
});
const role = ROLES.find(known => known === values.role);

const rendererFolder = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/renderer' : '../../../renderer',
  import.meta.url,
).pathname;

async function main(): Promise<void> {
  if (role === undefined) throw new Fault(badRole(values.role));
  const { paths, channel } = await ensureControl(values.data ?? defaultDataFolder());
  channel.close();
  const sessions = new Sessions(systemRandom);
  const uploads = new Uploads({
    folder: openFolder(paths.uploadFolder),
    pid: process.pid,
    isRunning: pid => startedAt(pid) !== '',
  });
  await uploads.removePartial();
  const local = reopeningClient(contract, () => rejoinControl(paths, 'local'));
  const gateway = new Gateway({
    port: () => server.port,
    sessions,
    files: openWebFiles(rendererFolder),
    uploads,
    random: systemRandom,
    connectControl: role => rejoinControl(paths, role),
    registerFile: async path => (await local()).call('file.register', { path }),
    noteSignIn: async (isAccepted, address) =>
      (await local()).call('headless.sign-in', { isAccepted, address }),
    log: openLogFile('headless', paths.headlessLog) ?? openLog({ part: 'headless', path: null }),
  });
  const server = await listenWeb(Number(values.port ?? 0), gateway);
  const print = (): void =>
    console.log(`Ebb: http://127.0.0.1:${server.port}/#token=${sessions.issueToken(role)}`);
  print();
  if (process.stdin.isTTY) {
    console.log('The link works once. Press Enter for another; Ctrl-C ends this gateway, VMs keep running.');
    process.stdin.on('data', print);
  }
  const end = (): void => void server.close().then(() => process.exit(0));
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

const badRole = (said: string): ErrorBody => ({
  code: 'rpc.bad-request',
  what: `There is no role "${said}".`,
  safe: 'Nothing was started.',
  todo: `Say --role ${ROLES.join(', --role ')}.`,
});

try {
  await main();
} catch (error) {
  console.error(error instanceof Fault ? errorText(error.body) : error);
  process.exit(1);
}
