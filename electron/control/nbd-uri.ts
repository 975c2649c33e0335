// The URI that tells other programs where an NBD export is. Folders may have any name: a space or an
// ampersand that is not escaped would end the URI, or begin another part of it.
export const nbdUri = (exportName: string, socketPath: string): string =>
  `nbd+unix:///${exportName}?socket=${socketPath.split('/').map(encodeURIComponent).join('/')}`;
