#!/bin/sh
# Make one account per public key of /etc/sftp/keys (<account>.pub), its locked folders, then serve.
# application.pub is the key of the application, which enters every account.
set -eu

install -m 600 /run/secrets/sftp_host_key /run/sshd/host_key
mkdir -p /run/sshd/keys
chmod 755 /run/sshd /run/sshd/keys
[ -e /etc/sftp/keys/application.pub ] || { echo "La clé publique de l'application manque : application.pub" >&2; exit 1; }

for key in /etc/sftp/keys/*.pub; do
    account="$(basename "$key" .pub)"
    [ "$account" = application ] && continue
    case "$account" in *[!a-z0-9_-]*) echo "Nom de compte refusé : $account" >&2; exit 1 ;; esac
    id -u "$account" >/dev/null 2>&1 \
        || useradd --no-create-home --home-dir / --shell /usr/sbin/nologin --groups sftp-accounts "$account"
    cat "$key" /etc/sftp/keys/application.pub >"/run/sshd/keys/$account.pub"
    # sshd wants the root of a locked folder to belong to root; the account writes one level below.
    install -d -m 755 -o root -g root "/srv/sftp/$account"
    for folder in depot restitution accuses archive; do
        install -d -m 700 -o "$account" "/srv/sftp/$account/$folder"
    done
done

exec /usr/sbin/sshd -D -e
