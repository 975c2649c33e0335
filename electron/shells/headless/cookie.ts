// The cookie a session is known by. Pure.

/** Browsers share cookies between ports of one host: the name keeps two gateways apart. */
export const cookieName = (port: number, isEncrypted: boolean): string =>
  // The prefix is the browser's promise that nobody but this very host set it, over TLS.
  `${isEncrypted ? '__Host-' : ''}ebb-session-${port}`;

export const cookieOf = (port: number, isEncrypted: boolean, secret: string): string =>
  `${cookieName(port, isEncrypted)}=${secret}; HttpOnly; SameSite=Strict; Path=/${isEncrypted ? '; Secure' : ''}`;

export function readCookie(header: string | undefined, name: string): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name && value !== undefined) return value;
  }
  return null;
}
