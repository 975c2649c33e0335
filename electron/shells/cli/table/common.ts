// Arguments that many commands take.
export const VM = {
  name: 'VM',
  kind: 'vm',
  doc: 'Its name, or the beginning of its id',
} as const;
export const DELETED = {
  name: 'VM',
  kind: 'deleted',
  doc: 'Its name (the last deleted of that name), or the beginning of its id',
} as const;
export const POINT = {
  name: 'POINT',
  kind: 'point',
  doc: 'Its name (the newest of that name), the beginning of its id, or @-1 for the newest',
} as const;
export const TRASHED = {
  name: 'POINT',
  kind: 'trashed',
  doc: 'Its name, the beginning of its id, or @-1 for the newest in the trash',
} as const;
export const NEW_NAME = { name: 'NAME', kind: 'text', doc: 'Its new name' } as const;
