# The last step of every template: what a sandbox needs is there, and nothing gives rights.
set -eu
find / -xdev -type f -perm /6000 -exec chmod a-s {} + 2>/dev/null || true
for folder in /run/diono /run/diono-egress /opt/diono/guest /opt/diono/cache /work; do
    [ -d "$folder" ] && [ ! -L "$folder" ] || {
        echo "the template lacks the folder $folder, which a sandbox needs" >&2
        exit 1
    }
done
# The workspace is mounted over /work; a new one starts with what the build put there.
if [ -n "$(ls -A /work)" ]; then
    rm -rf /opt/diono/home
    cp -a /work /opt/diono/home
fi
rm -rf /tmp/* /run/diono-files.tar /run/diono-ca.pem 2>/dev/null || true
python3 -I -c pass || {
    echo "the template has no working python3, which a sandbox needs" >&2
    exit 1
}
