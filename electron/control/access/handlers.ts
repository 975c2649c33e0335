// The contract's handlers of tokens, links and sessions, by which people come from elsewhere.
import { isLoopback } from '../../../shared/access.ts';
import { Fault } from '../../../shared/result.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Handlers } from '../../../shared/rpc/server.ts';
import type { Audit } from '../audit/audit.ts';
import { isDenial } from '../audit/audited.ts';
import type { AccessDesk } from './desk.ts';
import { noSuchSession, notEncrypted } from './refusals.ts';

type AccessMethod = Extract<keyof Handlers<Contract>, `headless.${string}`>;

const COMING = { via: 'browser', vmId: null, vmName: '', from: {} } as const;

export const accessHandlers = (
  desk: AccessDesk,
  audit: Audit,
  requireNetwork: () => void,
): Pick<Handlers<Contract>, AccessMethod> => ({
  // The audit's record names who signed in, which is known only afterwards: so it is written here.
  'headless.sign-in': ({ token, address, agent }) => {
    const about = { ...COMING, action: 'headless.sign-in' };
    try {
      const { link, ...signedIn } = desk.signIn(token, address, agent);
      const { user, role } = signedIn.session;
      const to = { address, role, ...(link === null ? {} : { link }) };
      audit.note({ ...about, ...(user === '' ? {} : { by: user }), to });
      return signedIn;
    } catch (cause) {
      if (cause instanceof Fault && isDenial(cause.body.code)) {
        const code = cause.body.code === 'rpc.denied' ? 'headless.unknown-token' : cause.body.code;
        audit.denied({ ...about, to: { address } }, code);
      }
      throw cause;
    }
  },
  // The gateway asks on behalf of a browser: a denial is recorded as the browser's.
  'headless.session': ({ secret }) => {
    try {
      return { session: desk.session(secret) };
    } catch (cause) {
      if (cause instanceof Fault && isDenial(cause.body.code))
        audit.denied({ ...COMING, action: 'headless.session', to: {} }, cause.body.code);
      throw cause;
    }
  },
  'headless.listen': ({ address, isEncrypted }) => {
    if (isLoopback(address)) return {};
    if (!isEncrypted) throw notEncrypted(address);
    requireNetwork();
    return {};
  },
  'headless.link': ({ role }) => desk.link(role),
  'headless.create-token': ({ name, role, expiresAt }) => desk.createToken(name, role, expiresAt),
  'headless.tokens': () => ({ tokens: desk.tokens(), links: desk.links() }),
  'headless.revoke-token': ({ tokenId }) => ({ ended: desk.revokeToken(tokenId) }),
  'headless.sessions': () => ({ sessions: desk.sessions() }),
  'headless.end-session': ({ sessionId }) => {
    desk.endSession(sessionId);
    return {};
  },
  'headless.sign-out': (_, { caller }) => {
    if (caller.session === null) throw noSuchSession();
    desk.endSession(caller.session);
    return {};
  },
});
