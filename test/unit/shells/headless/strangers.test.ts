// Who is hung up on where strangers are too many, and that who asks at once what he wants is served whoever drips beside him.
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  STRANGERS_MAX,
  STRANGERS_OF_SOURCE_MAX,
  type Stranger,
  Strangers,
} from '../../../../electron/transport/strangers.ts';
import { GatewayWorld } from '../../../support/gateway-world.ts';
import { until } from '../../../support/until.ts';

describe('strangers', () => {
  const gone: string[] = [];
  afterEach(() => gone.splice(0));
  const stranger = (address: string, name = '', isBusy = false): Stranger => ({
    address,
    isBusy: () => isBusy,
    hangUp: () => gone.push(name),
  });

  it('of one source are so many: the oldest makes room, of whom nothing is being answered', () => {
    const all = new Strangers();
    expect(all.admit(stranger('192.0.2.1', 'asks', true))).toBe(true);
    for (let n = 1; n < STRANGERS_OF_SOURCE_MAX; n++) all.admit(stranger('192.0.2.1', `drips ${n}`));
    expect(all.admit(stranger('198.51.100.9', 'another'))).toBe(true);
    expect(gone).toEqual([]);
    for (let n = 0; n < 2; n++) expect(all.admit(stranger('192.0.2.1', 'new'))).toBe(true);
    expect(gone).toEqual(['drips 1', 'drips 2']);
  });

  it('of all sources are so many, and a network of IPv6 is one', () => {
    const all = new Strangers();
    for (let n = 0; n < STRANGERS_MAX; n++) all.admit(stranger(`10.0.${n >> 8}.${n & 255}`, `${n}`));
    expect(all.admit(stranger('192.0.2.1'))).toBe(true);
    expect(gone).toEqual(['0']);
    const six = new Strangers();
    for (let n = 0; n <= STRANGERS_OF_SOURCE_MAX; n++)
      six.admit(stranger(`2001:db8::${n.toString(16)}`, 'six'));
    expect(gone).toEqual(['0', 'six']);
  });

  it('who is being answered is not hung up on: there is no room then; whoever is known or gone takes none', () => {
    const all = new Strangers();
    const asking = Array.from({ length: STRANGERS_OF_SOURCE_MAX }, () => stranger('::1', 'asks', true));
    for (const one of asking) all.admit(one);
    expect(all.admit(stranger('::1'))).toBe(false);
    if (asking[0] !== undefined) all.forget(asking[0]);
    expect(all.admit(stranger('::1'))).toBe(true);
    expect(gone).toEqual([]);
  });
});

describe('at the gateway', () => {
  it.each(['says nothing', 'drips a head', 'drips a body', 'does not read'])(
    'whoever %s, however often, keeps nobody out',
    async how => {
      const world = await GatewayWorld.start();
      const { own } = world;
      const page = await world.upgrade({ ...own, cookie: await world.signIn() });
      let isPageClosed = false;
      page.socket.once('close', () => {
        isPageClosed = true;
      });
      const head = `Host: ${world.host}\r\nOrigin: ${world.origin}\r\n`;
      const start = {
        'says nothing': '',
        'drips a head': 'GET / HTTP/1.1\r\nHost',
        'drips a body': `POST /session HTTP/1.1\r\n${head}Content-Length: 1000\r\n\r\n{`,
        'does not read': `GET / HTTP/1.1\r\n${head}\r\n`,
      }[how];
      const held: Socket[] = [];
      for (let n = 0; n < 600; n++) {
        const socket = connect({ host: '127.0.0.1', port: world.port });
        socket.on('error', () => socket.destroy());
        if (how !== 'does not read') socket.resume();
        if (start) socket.write(start);
        held.push(socket);
        await new Promise(resolve => socket.once('connect', resolve).once('close', resolve));
      }
      // Now, not when they are given up on.
      const cookie = await world.signIn();
      const { status, socket } = await world.upgrade({ ...own, cookie });
      expect([status, isPageClosed]).toEqual([101, false]);
      if (how !== 'does not read')
        await until(
          'all but so many are hung up on',
          () => held.filter(({ destroyed }) => !destroyed).length <= STRANGERS_OF_SOURCE_MAX,
        );
      for (const one of held) one.destroy();
      socket.close();
      page.socket.close();
      await world.close();
    },
  );
});
