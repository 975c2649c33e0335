// The gateway's own certificate, and one that is given.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ownCertificate, readCertificate } from '../../../electron/platform/certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'ebb-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const now = Date.now();
const at = (name: string): string => join(folder, 'a', name);

it('is made once, for the names there are, its key for nobody else; and again when its time is over', async () => {
  const names = ['127.0.0.1', 'localhost', '[::1]', 'lab-7.example.edu', 'evil, DNS:*\nCA:TRUE'];
  const made = await ownCertificate(join(folder, 'a'), names, now);
  expect(made.isNew).toBe(true);
  const read = new X509Certificate(made.cert);
  expect(read.subjectAltName).toBe(
    'IP Address:127.0.0.1, DNS:localhost, IP Address:0:0:0:0:0:0:0:1, DNS:lab-7.example.edu',
  );
  expect(read.ca).toBe(false);
  expect(read.fingerprint256).toBe(made.fingerprint);
  expect(made.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  expect(statSync(at('key.pem')).mode & 0o077).toBe(0);
  expect(
    execFileSync('openssl', ['x509', '-in', at('cert.pem'), '-noout', '-ext', 'extendedKeyUsage'], {
      encoding: 'utf8',
    }),
  ).toContain('TLS Web Server Authentication');
  const again = await ownCertificate(join(folder, 'a'), names, now);
  expect([again.isNew, again.fingerprint]).toEqual([false, made.fingerprint]);
  const later = await ownCertificate(join(folder, 'a'), names, now + 900 * 86_400_000).catch(String);
  // A new one, which is valid from today: the clock of the test says that it is over too.
  expect(String(later)).toContain('valid until');
  expect(new X509Certificate(readFileSync(at('cert.pem'))).fingerprint256).not.toBe(made.fingerprint);
});

it('is made again where another name or address is asked for, and for no other reason: people know its fingerprint', async () => {
  const own = join(folder, 'c');
  const made = await ownCertificate(own, ['127.0.0.1', 'localhost'], now, ['127.0.0.1']);
  const same = async (names: string[], asked: string[]) => {
    const { fingerprint, isNew } = await ownCertificate(own, names, now, asked);
    expect(isNew).toBe(fingerprint !== made.fingerprint);
    return !isNew;
  };
  // An address that came by itself; what is asked for in another form; a name that is none.
  expect(await same(['127.0.0.1', 'localhost', '192.0.2.7'], ['LocalHost'])).toBe(true);
  expect(await same(['127.0.0.1'], ['not, a name'])).toBe(true);
  expect(await same(['127.0.0.1', '[::1]'], ['lab-7.example.edu', '[2001:db8::7]'])).toBe(false);
  const other = new X509Certificate(readFileSync(join(own, 'cert.pem')));
  expect(other.subjectAltName).toBe(
    'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:lab-7.example.edu, IP Address:2001:DB8:0:0:0:0:0:7',
  );
  const again = await ownCertificate(own, ['127.0.0.1'], now, [
    'lab-7.example.edu',
    '[2001:db8::7]',
    '[::1]',
  ]);
  expect([again.isNew, again.fingerprint]).toEqual([false, other.fingerprint256]);
});

it('what is given must be a certificate and its own key', async () => {
  const other = await ownCertificate(join(folder, 'b'), ['localhost'], now);
  const given = join(folder, 'given.pem');
  writeFileSync(given, other.cert);
  expect(readCertificate(given, join(folder, 'b', 'key.pem'), now).fingerprint).toBe(other.fingerprint);
  expect(() => readCertificate(given, at('key.pem'), now)).toThrow('another certificate');
  writeFileSync(join(folder, 'nothing'), 'nothing');
  for (const [cert, key] of [
    [given, join(folder, 'missing')],
    [join(folder, 'nothing'), at('key.pem')],
    [given, join(folder, 'nothing')],
  ] as const)
    expect(() => readCertificate(cert, key, now)).toThrow('rpc.bad-request');
});
