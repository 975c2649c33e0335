// The certificate of the browser gateway: one that was given, or one made here on first use. openssl makes
// it: it is widely trusted and the system keeps it repaired, so no package of ours has to be trusted with
// this. Browsers do not know the certificate, so people compare its fingerprint.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Fault, messageOf } from '../../shared/result.ts';
import { syncFolder } from './json-file.ts';
import { findProgram, runTool } from './process.ts';

/** The longest time a certificate may be valid for browsers to accept it. */
const DAYS = 825;
const TOOL_MS = 30_000;
const FILE_BYTES_MAX = 1024 * 1024;
const HOST_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** SHA-256, as browsers show it. */
  readonly fingerprint: string;
  readonly isNew: boolean;
}

/** Throws Fault rpc.bad-request when the files are not a valid certificate and its key. */
export function readCertificate(certPath: string, keyPath: string, nowMs: number): Certificate {
  const [cert, key] = [readSmall(certPath), readSmall(keyPath)];
  try {
    return { ...checked(cert, key, nowMs), isNew: false };
  } catch (cause) {
    throw unusable(certPath, cause);
  }
}

/**
 * Returns the certificate in `folder`. Makes a new one, for `names` and `asked`, when there is none, when it
 * has expired, or when it does not cover all that is `asked` for. A change of `names` alone makes no new one:
 * addresses come and go by themselves, and people know the fingerprint. Throws Fault host.unsupported.
 */
export async function ownCertificate(
  folder: string,
  names: readonly string[],
  nowMs: number,
  asked: readonly string[] = [],
): Promise<Certificate> {
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  try {
    const known = checked(readSmall(certPath), readSmall(keyPath), nowMs);
    const missing = alternatives(asked).filter(name => !isFor(new X509Certificate(known.cert), name));
    if (missing.length > 0) throw new Error(`it is not for ${missing[0]?.value}`);
    return { ...known, isNew: false };
  } catch {
    await make(folder, [...names, ...asked]);
    return { ...checked(readSmall(certPath), readSmall(keyPath), nowMs), isNew: true };
  }
}

function readSmall(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length <= FILE_BYTES_MAX) return text;
  } catch (cause) {
    throw unusable(path, cause);
  }
  throw unusable(path, 'it is too large');
}

function checked(cert: string, key: string, nowMs: number): Omit<Certificate, 'isNew'> {
  const parsed = new X509Certificate(cert);
  if (!parsed.checkPrivateKey(createPrivateKey(key)))
    throw new Error('the key belongs to another certificate');
  if (Date.parse(parsed.validTo) <= nowMs) throw new Error(`it was valid until ${parsed.validTo}`);
  return { cert, key, fingerprint: parsed.fingerprint256 };
}

async function make(folder: string, names: readonly string[]): Promise<void> {
  const openssl = findProgram('openssl');
  if (openssl === null) throw noOpenssl();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(folder, name);
  for (const name of ['key.pem.new', 'cert.pem.new']) rmSync(at(name), { force: true });
  // The system's own configuration would add extensions that belong to certificate authorities.
  writeFileSync(at('openssl.cnf'), configuration(names), { mode: 0o600 });
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const { code, stderr } = await runTool(
    openssl,
    [
      ...args,
      ...['-days', String(DAYS), '-config', at('openssl.cnf')],
      ...['-keyout', at('key.pem.new'), '-out', at('cert.pem.new')],
    ],
    { timeoutMs: TOOL_MS },
  );
  rmSync(at('openssl.cnf'), { force: true });
  if (code !== 0) throw noCertificate(stderr);
  renameSync(at('key.pem.new'), at('key.pem'));
  renameSync(at('cert.pem.new'), at('cert.pem'));
  syncFolder(folder);
}

interface Alternative {
  readonly kind: 'IP' | 'DNS';
  readonly value: string;
}

/** Leaves out what is neither an address nor a host name: it could add other lines to openssl's file. */
function alternatives(names: readonly string[]): Alternative[] {
  const plain = [...new Set(names.map(name => name.replace(/^\[|\]$/g, '').toLowerCase()))];
  return plain.flatMap((value): Alternative[] =>
    isIP(value) > 0 ? [{ kind: 'IP', value }] : HOST_NAME.test(value) ? [{ kind: 'DNS', value }] : [],
  );
}

const isFor = (certificate: X509Certificate, { kind, value }: Alternative): boolean =>
  (kind === 'IP' ? certificate.checkIP(value) : certificate.checkHost(value, { subject: 'never' })) !==
  undefined;

function configuration(names: readonly string[]): string {
  return [
    '[req]',
    'distinguished_name = who',
    'x509_extensions = says',
    'prompt = no',
    '[who]',
    'CN = Ebb',
    '[says]',
    'basicConstraints = critical, CA:FALSE',
    'keyUsage = critical, digitalSignature',
    'extendedKeyUsage = serverAuth',
    'subjectKeyIdentifier = hash',
    `subjectAltName = ${alternatives(names)
      .map(({ kind, value }) => `${kind}:${value}`)
      .join(', ')}`,
    '',
  ].join('\n');
}

const unusable = (path: string, cause: unknown): Fault =>
  new Fault(
    {
      code: 'rpc.bad-request',
      what: `${path} cannot be used: ${messageOf(cause)}.`,
      safe: 'Nothing listens.',
      todo: 'Give a certificate and its key, in PEM, with --cert and --key; or neither, for one made here.',
    },
    cause,
  );

const noOpenssl = (): Fault =>
  new Fault({
    code: 'host.unsupported',
    what: 'There is no openssl to make a certificate with.',
    safe: 'Nothing listens.',
    todo: 'Install openssl, or give a certificate with --cert and --key.',
  });

const noCertificate = (said: string): Fault =>
  new Fault({
    code: 'host.unsupported',
    what: `openssl made no certificate: ${said.trim().slice(-400)}`,
    safe: 'Nothing listens.',
    todo: 'Give a certificate with --cert and --key.',
  });
