// app://ebb: serves the built page, with its content security policy, from one folder. Nothing else has this
// origin, and the page is never loaded from file://.
import type { Protocol } from 'electron';
import type { WebFiles } from '../../platform/web-files.ts';
import { pageHeaders } from '../../transport/page-headers.ts';

const SCHEME = 'app';
export const PAGE_ORIGIN = 'app://ebb';
export const PAGE_URL = `${PAGE_ORIGIN}/index.html`;

/** Must be called before the app is ready. */
export function registerScheme(protocol: Protocol): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

export function serveScheme(protocol: Protocol, files: WebFiles): void {
  protocol.handle(SCHEME, request => answer(files, request));
}

async function answer(files: WebFiles, request: Request): Promise<Response> {
  const url = URL.parse(request.url);
  const isOurs = url !== null && url.host === 'ebb' && request.method === 'GET';
  const file = isOurs ? await files.read(url.pathname) : null;
  if (file === null)
    return new Response('There is no such page.', { status: 404, headers: pageHeaders(null) });
  // A copy in plain memory: a Response may not take a view of shared memory.
  return new Response(new Uint8Array(file.bytes), {
    status: 200,
    headers: { ...pageHeaders(null), 'content-type': file.mime, 'cache-control': 'no-store' },
  });
}

/** Whether a URL, as the engine reports it, is of our page. */
export const isPageUrl = (url: string): boolean => url.startsWith(`${PAGE_ORIGIN}/`);
