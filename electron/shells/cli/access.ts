// `ebb token …` and `ebb session …`: who may sign in, and who is signed in.
import type { AccessLink, AccessSession, AccessToken } from '../../../shared/access.ts';
import { Fault } from '../../../shared/result.ts';
import { systemClock } from '../../platform/clock.ts';
import { table, timeText } from './output.ts';
import type { Run, Session } from './session.ts';
import type { ACCESS_ROWS } from './table/access.ts';

type Rows = typeof ACCESS_ROWS;

const ID_CHARS = 8;

export const createToken: Run<Rows['token create']> = async ({ client, given }) => {
  const expiresAt = given.for === undefined ? null : systemClock.wallMs() + given.for * 1000;
  const made = await client.call('headless.create-token', { name: given.NAME, role: given.role, expiresAt });
  return { text: made.secret, json: made };
};

const tokenRow = ({ name, role, createdAt, expiresAt, lastUsedAt }: Omit<AccessToken, 'id'>): string[] => [
  name,
  role,
  timeText(createdAt),
  lastUsedAt === null ? 'never' : timeText(lastUsedAt),
  expiresAt === null ? '–' : `${timeText(expiresAt)}${expiresAt <= systemClock.wallMs() ? ' (expired)' : ''}`,
];

/** Stands for the name of a link: no token's name begins with a parenthesis. */
const linkName = ({ id }: Pick<AccessLink, 'id'>): string => `(link ${id.slice(0, ID_CHARS)})`;

export const listTokens: Run<Rows['token list']> = async ({ client }) => {
  const { tokens, links } = await client.call('headless.tokens', {});
  const head = ['NAME', 'ROLE', 'MADE', 'LAST USED', 'EXPIRES'];
  const unused = links.map(link => ({ ...link, name: linkName(link), lastUsedAt: null }));
  return {
    text:
      tokens.length + links.length === 0
        ? 'No tokens. Make one: ebb token create NAME --role view'
        : table(head, [...tokens, ...unused].map(tokenRow)),
    json: [...tokens, ...links.map(link => ({ ...link, name: null, lastUsedAt: null }))],
  };
};

/** A link has no name: it goes by the beginning of its id. */
async function revokeLink({ client }: Session, link: AccessLink) {
  await client.call('headless.revoke-token', { tokenId: link.id });
  return { text: 'The link is revoked; nobody signed in with it.', json: { ...link, name: null, ended: 0 } };
}

export const revokeToken: Run<Rows['token revoke']> = async asked => {
  const { client, given } = asked;
  const { tokens, links } = await client.call('headless.tokens', {});
  const token = tokens.find(({ name }) => name.toLowerCase() === given.NAME.toLowerCase());
  const meant = links.filter(({ id }) => given.NAME.length >= 4 && id.startsWith(given.NAME));
  if (token === undefined && meant[0] !== undefined && meant.length === 1) return revokeLink(asked, meant[0]);
  if (token === undefined)
    throw notFound(`There is no token, nor a single link, "${given.NAME}".`, 'See: ebb token list');
  const { ended } = await client.call('headless.revoke-token', { tokenId: token.id });
  const sessions = ended === 1 ? '1 session' : `${ended} sessions`;
  return { text: `"${token.name}" is revoked; ${sessions} ended with it.`, json: { ...token, ended } };
};

export const makeLink: Run<Rows['token link']> = async ({ client, given }) => {
  const link = await client.call('headless.link', { role: given.role });
  return { text: link.token, json: link };
};

const sessionRow = (session: AccessSession): string[] => [
  session.id.slice(0, ID_CHARS),
  session.user === '' ? 'a link' : session.user,
  session.role,
  session.address,
  timeText(session.since),
  session.connections > 0 ? 'here' : timeText(session.lastSeenAt),
  session.agent.slice(0, 40),
];

export const listSessions: Run<Rows['session list']> = async ({ client }) => {
  const { sessions } = await client.call('headless.sessions', {});
  const head = ['ID', 'BY', 'ROLE', 'ADDRESS', 'SINCE', 'SEEN', 'BROWSER'];
  return {
    text: sessions.length === 0 ? 'No browser is signed in.' : table(head, sessions.map(sessionRow)),
    json: sessions,
  };
};

export const endSession: Run<Rows['session end']> = async ({ client, given }) => {
  const { sessions } = await client.call('headless.sessions', {});
  const found = sessions.filter(({ id }) => given.SESSION.length >= 4 && id.startsWith(given.SESSION));
  const [session] = found;
  if (session === undefined || found.length > 1)
    throw notFound(`There is no single session "${given.SESSION}".`, 'See: ebb session list');
  await client.call('headless.end-session', { sessionId: session.id });
  return { text: 'Signed out.', json: session };
};

const notFound = (what: string, todo: string): Fault =>
  new Fault({ code: 'access.not-found', what, safe: 'Nothing was changed.', todo });
