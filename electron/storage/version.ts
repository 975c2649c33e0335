// The storage service's own version; the contract's hash is what decides who may talk to whom.
export const STORAGE_VERSION = '0.1.0';
