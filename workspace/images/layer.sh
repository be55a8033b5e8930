#!/bin/sh
# Adds one recipe to its parent's image. Runs once, as root, in a throw-away container; the recipe
# is mounted read-only at /recipe. Lines that begin with "step:" tell how far it is.
set -eu
uid="$1"
export DEBIAN_FRONTEND=noninteractive
ca_file=/run/diono-ca.pem

if [ -s /recipe/packages.txt ]; then
    set -- -o Acquire::Retries=3 -o APT::Sandbox::User=root -o APT::Status-Fd=1
    if [ -e "$ca_file" ]; then
        set -- "$@" -o "Acquire::https::CAInfo=$ca_file"
    fi
    # Some packages link their manuals, although these are left out.
    mkdir -p /usr/share/man/man1
    echo "step: reading the lists of packages"
    apt-get "$@" -qq update
    echo "step: fetching and installing packages"
    xargs apt-get "$@" -qq install --yes --no-install-recommends \
        -o Dpkg::Options::=--force-unsafe-io </recipe/packages.txt
fi

if [ -s /recipe/requirements.lock ]; then
    echo "step: installing Python packages"
    python3 -m pip install --isolated --break-system-packages --no-cache-dir --no-compile --quiet \
        --disable-pip-version-check --root-user-action ignore --timeout 60 --retries 3 \
        --only-binary :all: --require-hashes -r /recipe/requirements.lock ${PIP_ARGUMENTS:-}
    python3 -m compileall -q /usr/local/lib || true
fi

if [ -s /recipe/provision.sh ]; then
    echo "step: setting up"
    sh /recipe/provision.sh "$uid"
fi

echo "step: cleaning up"
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/share/doc/* /usr/share/man/* /tmp/* /root/.npm
