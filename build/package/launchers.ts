// The script that is `ebb` in a package: runs the CLI on the Node beside it, even when called by a link.

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
