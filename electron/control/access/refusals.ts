// The refusals about access: of sign-ins, and of what people ask about tokens and sessions.
import { TOKENS_MAX } from '../../../shared/access.ts';
import { Fault } from '../../../shared/result.ts';
import { denied, type Policy } from '../policy/policy.ts';
import { unwritten } from '../store/unwritten.ts';

export const unknownToken = (): Fault =>
  new Fault({
    code: 'rpc.denied',
    what: 'This sign-in was used already, has expired, was revoked, or is not ours.',
    safe: 'Nothing was changed.',
    todo: 'Ask whoever is at the computer for another: ebb token create, or ebb token link.',
  });

export const linkNotUsed = (cause: unknown): Error =>
  unwritten(cause, {
    what: 'That this link was used cannot be written down, so that it could be used again',
    safe: 'It is good yet, and nobody came in by it.',
    after: ', or sign in with a token that has a name.',
  });

export const tokenNotMade = (cause: unknown): Error =>
  unwritten(cause, {
    what: 'The token cannot be written down',
    safe: 'None was made; those that are there stay as they are.',
    after: ', then make it again.',
  });

export const tokenNotForgotten = (cause: unknown): Error =>
  unwritten(cause, {
    what: 'That the token is revoked cannot be written down',
    safe: "It lets nobody in, and who came in by it is out, as long as Ebb's service runs; one that starts anew would take it again.",
    after: ': it is written within a minute then. See whether it is gone: ebb token list',
  });

export const sessionNotForgotten = (cause: unknown): Error =>
  unwritten(cause, {
    what: 'That the session ended cannot be written down',
    safe: "It is over as long as Ebb's service runs; one that starts anew would take it again.",
    after: ': it is written within a minute then. Where it came by a token, revoke that, too: ebb token list',
  });

export const tooManySignIns = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: 'Too many browsers signed in with this token just now.',
    safe: 'Nothing was changed; who is signed in stays so.',
    todo: 'Wait a little, then sign in again.',
  });

/** Says where the rule comes from, as every denial by policy does. */
export const noBrowsers = (policy: Policy): Fault => {
  const found = policy.keys['headless.access'];
  return denied(found, 'browsers may not use Ebb on this computer', found.valueBy);
};

export const nameTaken = (name: string): Fault =>
  new Fault({
    code: 'rpc.bad-request',
    what: `There is a token named "${name}" already.`,
    safe: 'It stays as it is.',
    todo: `Choose another name, or revoke it first: ebb token revoke "${name}"`,
  });

export const expired = (): Fault =>
  new Fault({
    code: 'rpc.bad-request',
    what: 'The token would have expired before it was made.',
    safe: 'Nothing was made.',
    todo: 'Give a time that is to come.',
  });

export const tooManyTokens = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: `There are ${TOKENS_MAX} tokens.`,
    safe: 'They stay as they are.',
    todo: 'Revoke one that nobody uses: ebb token list',
  });

export const noSuchToken = (): Fault =>
  new Fault({
    code: 'access.not-found',
    what: 'There is no such token.',
    safe: 'Nothing was changed.',
    todo: 'See which there are: ebb token list',
  });

export const noSuchSession = (): Fault =>
  new Fault({
    code: 'access.not-found',
    what: 'There is no such session, or it has ended.',
    safe: 'Nothing was changed.',
    todo: 'See which there are: ebb session list',
  });

export const notEncrypted = (address: string): Fault =>
  new Fault({
    code: 'rpc.denied',
    what: `Ebb listens at ${address}, which others reach, with encryption only.`,
    safe: 'Nothing listens.',
    todo: 'Serve with --tls, or on the loopback address.',
  });

/** Where no policy file speaks of this key, it forbids: unlike other keys, it is a permission. */
export const noNetwork = (folder: string): Fault =>
  new Fault({
    code: 'policy.denied',
    what: 'headless.network: nothing allows browsers of other computers to use Ebb on this one.',
    safe: 'Nothing listens but for this computer itself.',
    todo: `Whoever manages this computer puts {"policyVersion": 1, "settings": {"headless.network": {"value": true}}} into a file in ${folder}.`,
    data: { key: 'headless.network', source: null, reason: '', organization: '' },
  });
