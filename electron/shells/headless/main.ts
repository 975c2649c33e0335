// The headless shell: `node main.ts [--data DIR] [--port N] [--role view|operate|administer] [--host ADDRESS]
// [--tls] [--cert FILE --key FILE] [--name NAME]… [--no-link]`. Finds or starts control, serves the page on
// loopback (or, where a policy allows it, encrypted on other addresses), and prints the link that signs a
// browser in once. Ending it ends no VM.
import { parseArgs } from 'node:util';
import { isLoopback } from '../../../shared/access.ts';
import { type ErrorBody, errorText } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import { ROLES, type Role } from '../../../shared/roles.ts';
import type { Client } from '../../../shared/rpc/client.ts';
import { type Contract, contract } from '../../../shared/rpc/contract.ts';
import { ensureControl, joinAsBrowser, rejoinControl } from '../../control/start-on-demand.ts';
import { type Certificate, ownCertificate, readCertificate } from '../../platform/certificate.ts';
import { systemClock } from '../../platform/clock.ts';
import { openFolder } from '../../platform/folder.ts';
import { LOOPBACK_NAMES, nameInUrl, ownNames } from '../../platform/host-names.ts';
import { startedAt } from '../../platform/lock-owner.ts';
import { openLog, openLogFile } from '../../platform/log.ts';
import { defaultDataFolder, type EbbPaths, hostName } from '../../platform/paths.ts';
import { systemRandom } from '../../platform/random.ts';
import { openWebFiles } from '../../platform/web-files.ts';
import { openWhole } from '../../platform/whole-file.ts';
import { reopeningClient } from '../../transport/local-client.ts';
import { listenWeb, type WebServer } from '../../transport/web-server.ts';
import { Downloads } from './download.ts';
import { Gateway } from './gateway.ts';
import { Uploads } from './upload.ts';

const EXIT_DENIED = 77;
const WATCH_AGAIN_MS = 5000;
/** Addresses that mean "listen on all". */
const UNSPECIFIED = ['0.0.0.0', '[::]'];

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    port: { type: 'string' },
    role: { type: 'string', default: 'administer' },
    host: { type: 'string', default: '127.0.0.1' },
    tls: { type: 'boolean', default: false },
    cert: { type: 'string' },
    key: { type: 'string' },
    name: { type: 'string', multiple: true, default: [] },
    'no-link': { type: 'boolean', default: false },
  },
});
type Local = () => Promise<Client<Contract>>;

const rendererFolder = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/renderer' : '../../../renderer',
  import.meta.url,
).pathname;

const log = (paths: EbbPaths) =>
  openLogFile('headless', paths.headlessLog) ?? openLog({ part: 'headless', path: null });

/** Names by which browsers may address us. On loopback any other name could only be a trick. */
const names = (): string[] => {
  const said = values.name.map(name => name.toLowerCase());
  return [...(isLoopback(values.host) ? [...LOOPBACK_NAMES, nameInUrl(values.host)] : ownNames()), ...said];
};

/** Names the certificate must cover: those the person gave, else the host name; other addresses may change. */
function asked(): string[] {
  const host = nameInUrl(values.host);
  const isNamed = isLoopback(values.host) || values.name.length > 0;
  return [...(UNSPECIFIED.includes(host) ? [] : [host]), ...(isNamed ? values.name : [hostName()])];
}

/** The certificate to serve with; null: unencrypted, which only loopback may be. */
async function certificate(paths: EbbPaths): Promise<Certificate | null> {
  const { cert, key, tls, host } = values;
  const now = systemClock.wallMs();
  if ((cert === undefined) !== (key === undefined)) throw new Fault(halfCertificate());
  if (cert !== undefined && key !== undefined) return readCertificate(cert, key, now);
  if (!tls && isLoopback(host)) return null;
  return ownCertificate(paths.tlsFolder, names(), now, asked());
}

async function listen(paths: EbbPaths, local: Local, tls: Certificate | null): Promise<WebServer> {
  const uploads = new Uploads({
    folder: openFolder(paths.uploadFolder),
    pid: process.pid,
    isRunning: pid => startedAt(pid) !== '',
  });
  await uploads.removePartial();
  let server: WebServer | null = null;
  const gateway = new Gateway({
    port: () => server?.port ?? 0,
    isEncrypted: tls !== null,
    names,
    access: {
      signIn: async (token, address, agent) =>
        (await local()).call('headless.sign-in', { token, address, agent }),
      session: async secret => (await (await local()).call('headless.session', { secret })).session,
      join: ({ id }, address) => joinAsBrowser(paths, { session: id, address }),
    },
    files: openWebFiles(rendererFolder),
    uploads,
    downloads: new Downloads({
      find: async (ticket, session) => (await local()).call('file.download', { ticket, session }),
      open: openWhole,
    }),
    random: systemRandom,
    clock: systemClock,
    registerFile: async path => (await local()).call('file.register', { path }),
    log: log(paths),
  });
  const place = { port: Number(values.port ?? 0), address: values.host };
  server = await listenWeb(tls === null ? place : { ...place, tls }, gateway);
  return server;
}

/** Serves beyond loopback only while a policy allows it: calls `end` with the reason once it does not. */
function watchPolicy(local: Local, end: (why: ErrorBody) => void): void {
  const again = (): void => void systemClock.after(WATCH_AGAIN_MS, () => watchPolicy(local, end));
  const ask = { address: values.host, isEncrypted: true };
  local()
    .then(client => {
      client.onClose(again);
      client.subscribe('policy', null, ({ rows }) => {
        const isAllowed = rows.find(({ key }) => key === 'headless.network')?.value === true;
        if (isAllowed) return;
        client.call('headless.listen', ask).catch((cause: unknown) => {
          if (cause instanceof Fault && cause.body.code === 'policy.denied') end(cause.body);
        });
      });
    })
    .catch(again);
}

async function main(role: Role): Promise<void> {
  process.umask(0o077);
  const { paths, channel } = await ensureControl(values.data ?? defaultDataFolder());
  channel.close();
  const local = reopeningClient(contract, () => rejoinControl(paths, 'local'));
  const tls = await certificate(paths);
  await (await local()).call('headless.listen', { address: values.host, isEncrypted: tls !== null });
  const server = await listen(paths, local, tls);
  const shown = isLoopback(values.host) ? nameInUrl(values.host) : (values.name[0] ?? hostName());
  const base = `${tls === null ? 'http' : 'https'}://${shown}:${server.port}/`;
  if (tls !== null)
    console.log(
      `${tls.isNew ? 'A certificate was made. Its' : "The certificate's"} SHA-256 fingerprint, to compare with what the browser shows:\n${tls.fingerprint}`,
    );
  const print = async (): Promise<void> => {
    const { token } = await (await local()).call('headless.link', { role });
    console.log(`Ebb: ${base}#token=${token}`);
  };
  if (values['no-link']) console.log(`Ebb: ${base}`);
  else await print();
  if (process.stdin.isTTY) {
    console.log('The link works once. Press Enter for another; Ctrl-C ends this gateway, VMs keep running.');
    process.stdin.on('data', () => void print().catch(told));
  }
  const end = (code: number): void => void server.close().then(() => process.exit(code));
  process.on('SIGINT', () => end(0));
  process.on('SIGTERM', () => end(0));
  if (!isLoopback(values.host))
    watchPolicy(local, why => {
      console.error(errorText(why));
      end(EXIT_DENIED);
    });
}

const told = (cause: unknown): void => console.error(cause instanceof Fault ? errorText(cause.body) : cause);

const badRole = (said: string): ErrorBody => ({
  code: 'rpc.bad-request',
  what: `There is no role "${said}".`,
  safe: 'Nothing was started.',
  todo: `Say --role ${ROLES.join(', --role ')}.`,
});

const halfCertificate = (): ErrorBody => ({
  code: 'rpc.bad-request',
  what: 'A certificate is of no use without its key, nor a key without its certificate.',
  safe: 'Nothing was started.',
  todo: 'Give both, with --cert and --key, or neither.',
});

try {
  const role = ROLES.find(known => known === values.role);
  if (role === undefined) throw new Fault(badRole(values.role));
  await main(role);
} catch (error) {
  told(error);
  process.exit(error instanceof Fault && error.body.code === 'policy.denied' ? EXIT_DENIED : 1);
}
