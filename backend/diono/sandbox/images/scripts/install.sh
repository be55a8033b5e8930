# Installs packages by their names: Debian's, Python wheels, and npm's without their scripts.
# $1 apt, $2 pip, $3 npm: quoted words; $4: arguments for pip.
set -eu
export DEBIAN_FRONTEND=noninteractive
ca_file=/run/diono-ca.pem
if [ -n "$1" ]; then
    options="-o Acquire::Retries=3 -o APT::Sandbox::User=root"
    [ ! -e "$ca_file" ] || options="$options -o Acquire::https::CAInfo=$ca_file"
    mkdir -p /usr/share/man/man1
    apt-get $options -qq update
    eval "apt-get $options -qq install --yes --no-install-recommends $1"
fi
if [ -n "$2" ]; then
    eval "python3 -m pip install --isolated --break-system-packages --no-cache-dir --quiet \
        --disable-pip-version-check --root-user-action ignore --timeout 60 --retries 3 \
        --only-binary :all: $4 -- $2"
fi
if [ -n "$3" ]; then
    command -v npm >/dev/null || { echo "npm packages need a template with Node.js" >&2; exit 1; }
    [ ! -e "$ca_file" ] || export NODE_EXTRA_CA_CERTS="$ca_file"
    eval "npm install --global --ignore-scripts --no-audit --no-fund --silent -- $3"
fi
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /tmp/* /root/.npm
