#!/bin/sh
# eslint comes from npm, by its lock file; the compiler it needs for TypeScript is there already.
set -eu
tools=/usr/local/lib/inspection-tools
install -d "$tools"
cp /recipe/package.json /recipe/package-lock.json /recipe/lint.mjs "$tools/"
if [ -e /run/diono-ca.pem ]; then
    export NODE_EXTRA_CA_CERTS=/run/diono-ca.pem
fi
npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --silent
rm -rf "$tools/node_modules/typescript"
ln -s /usr/local/lib/node-tools/node_modules/typescript "$tools/node_modules/typescript"
