#!/bin/sh
# Runs once, as root, in the fresh root file system; this folder is mounted read-only at /recipe.
set -eu
uid="$1"

python3 -m pip install --isolated --break-system-packages --no-cache-dir --no-compile --quiet \
    --disable-pip-version-check --root-user-action ignore --timeout 60 --retries 3 \
    --only-binary :all: --require-hashes -r /recipe/requirements.lock ${PIP_ARGUMENTS:-}

# The tenant. Its home is the workspace, which has a size of its own and outlives the container.
groupadd --gid "$uid" user
useradd --uid "$uid" --gid "$uid" --home-dir /home/user --no-create-home --shell /bin/bash user
install -d -m 0700 -o "$uid" -g "$uid" /work
ln -s /work /home/user
install -d -m 0755 /run/diono /run/diono-egress /opt/diono /opt/diono/guest /opt/diono/cache
ln -sf python3 /usr/bin/python

install -m 0644 /recipe/profile /etc/profile
rm -f /etc/profile.d/*
: > /etc/bash.bashrc

git config --system user.name Diono
git config --system user.email diono@localhost
git config --system init.defaultBranch main
git config --system safe.directory '*'
git config --system gc.auto 0

python3 -m compileall -q /opt/diono /usr/local/lib /usr/lib/python3 /usr/lib/python3.* || true

# Nothing in the image needs these, and no program in a sandbox may gain rights.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/share/doc/* /usr/share/man/* /tmp/*
