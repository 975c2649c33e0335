// What an address may, counted on a clock of the test's.
import { expect, it } from 'vitest';
import { Told } from '../../../../electron/platform/told.ts';
import { AddressLimits } from '../../../../electron/shells/headless/limits.ts';
import { sourceOf } from '../../../../shared/access.ts';
import { TestClock } from '../../../support/memory-world.ts';

it('who is wrong too often is shut out for a while, whatever it says; others are not', async () => {
  const clock = new TestClock();
  const limits = new AddressLimits(clock);
  let tries = 0;
  while (limits.maySignIn('192.0.2.1') && tries < 100) {
    limits.failed('192.0.2.1');
    tries++;
  }
  expect(tries).toBe(11);
  expect(limits.maySignIn('192.0.2.2')).toBe(true);
  await clock.advance(5000);
  expect(limits.maySignIn('192.0.2.1')).toBe(false);
  await clock.advance(2000);
  expect(limits.maySignIn('192.0.2.1')).toBe(true);
  limits.failed('192.0.2.1');
  expect(limits.maySignIn('192.0.2.1')).toBe(false);
});

it('who is right is never shut out', () => {
  const limits = new AddressLimits(new TestClock());
  for (let n = 0; n < 1000; n++) expect(limits.maySignIn('192.0.2.1')).toBe(true);
});

it('a flood of requests is refused, and remembered in bounded memory', () => {
  const limits = new AddressLimits(new TestClock());
  let asked = 0;
  while (limits.mayAsk('192.0.2.1')) asked++;
  expect(asked).toBe(3000);
  for (let n = 0; n < 10_000; n++) limits.mayAsk(`10.${n >> 8}.${n & 255}.1`);
  expect(limits.mayAsk('192.0.2.1')).toBe(true);
});

it('a host is known by its network where it has all of its addresses', () => {
  const networks: [string, readonly string[]][] = [
    [
      '2001:db8:1:2',
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::1', '2001:DB8:1:2::', '2001:db8:1:2::7%eth0'],
    ],
    ['2001:db8:0:0', ['2001:db8::a:b:c:d', '2001:db8::e:b:c:d', '2001:db8::1', '2001:0db8:0000::1']],
    ['2001:db8:0:1', ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::']],
    ['fe80:0:0:0', ['fe80::aaaa:bbbb:cccc:dddd', 'fe80::1:2:3:4', 'fe80::1%eth0', 'fe80::1%2']],
    ['0:0:0:0', ['::', '::1']],
    ['192.0.2.1', ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1']],
    ['192.0.2.2', ['192.0.2.2']],
  ];
  for (const [source, addresses] of networks)
    expect(addresses.map(sourceOf)).toEqual(addresses.map(() => source));
});

it('whoever has a whole network guesses no oftener than whoever has an address', () => {
  const limits = new AddressLimits(new TestClock());
  let tries = 0;
  for (let n = 0; n < 1000; n++) {
    const address = `fe80::${n.toString(16)}:b:c:d`;
    if (!limits.maySignIn(address)) continue;
    limits.failed(address);
    tries++;
  }
  expect(tries).toBe(11);
});

it('a flood is a line and a number in the log', async () => {
  const clock = new TestClock();
  const lines: string[] = [];
  const told = new Told(clock, line => lines.push(line));
  for (let n = 0; n < 5000; n++) told.say('another host', `evil\n${n}`);
  told.say('too many requests', 'x'.repeat(10_000));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe('another host: evil 0');
  expect(lines[1]?.length).toBeLessThan(300);
  await clock.advance(60_000);
  expect(lines.slice(2)).toEqual(['another host: 4999 more within a minute']);
});
