// The cookie that identifies a browser's session. Pure.

/** Browsers share cookies between ports of one host: the port in the name keeps two gateways apart. */
export const cookieName = (port: number, isEncrypted: boolean): string =>
  // With this prefix the browser promises that this very host set the cookie, over TLS.
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
