#!/bin/sh
# Runs once, as root, inside the fresh root file system; /recipe and /guest are mounted read-only.
set -eu
uid="$1"

python3 -m pip install --isolated --break-system-packages --no-cache-dir --no-compile --quiet \
    --disable-pip-version-check --root-user-action ignore --timeout 60 --retries 3 \
    --only-binary :all: --require-hashes -r /recipe/requirements.lock ${PIP_ARGUMENTS:-}

groupadd --gid "$uid" sandbox
useradd --uid "$uid" --gid "$uid" --home-dir /tmp --no-create-home --shell /bin/sh sandbox
install -d -m 0700 -o "$uid" -g "$uid" /work
install -d -m 0755 /run/diono
ln -sf python3 /usr/bin/python

git config --system user.name Diono
git config --system user.email diono@localhost
git config --system init.defaultBranch main
git config --system safe.directory '*'
git config --system gc.auto 0

install -d /opt/diono/guest
cp /guest/*.py /opt/diono/guest/
python3 -m compileall -q /opt/diono /usr/local/lib /usr/lib/python3 /usr/lib/python3.* || true

# Nothing in the image needs these, and no program in a sandbox may gain rights.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/share/doc/* /usr/share/man/* /tmp/*
