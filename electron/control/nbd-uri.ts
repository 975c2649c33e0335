// Where an NBD export is, as other programs are told. Folders have any names: a space or an ampersand would end the URI or
// begin another part of it.
export const nbdUri = (exportName: string, socketPath: string): string =>
  `nbd+unix:///${exportName}?socket=${socketPath.split('/').map(encodeURIComponent).join('/')}`;
