// What `ebb` is in a package: the CLI on the Node beside it, whatever link it was called by.

export const launcher = (main: string): string => `#!/bin/sh
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
home=$(cd -P "$(dirname "$self")/.." && pwd -P)
exec "$home/bin/node" "$home/${main}" "$@"
`;

export const EBB_CMD = '@"%~dp0node.exe" "%~dp0..\\electron\\shells\\cli\\main.js" %*\r\n';
