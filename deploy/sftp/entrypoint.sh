#!/bin/sh
# Make one account per public key of /etc/sftp/keys (<account>.pub), its locked folder, then serve.
set -eu

install -m 600 /run/secrets/sftp_host_key /run/sshd/host_key
mkdir -p /run/sshd/keys
chmod 755 /run/sshd /run/sshd/keys
getent group enquetes >/dev/null || groupadd --gid 10001 enquetes

for key in /etc/sftp/keys/*.pub; do
    [ -e "$key" ] || { echo "Aucune clé publique dans /etc/sftp/keys." >&2; exit 1; }
    account="$(basename "$key" .pub)"
    case "$account" in *[!a-z0-9_-]*) echo "Nom de compte refusé : $account" >&2; exit 1 ;; esac
    id -u "$account" >/dev/null 2>&1 \
        || useradd --no-create-home --home-dir / --shell /usr/sbin/nologin --gid enquetes --groups sftp-accounts "$account"
    install -m 644 "$key" "/run/sshd/keys/$account.pub"
    [ "$account" = enquetes ] && continue
    # sshd wants the root of a locked folder to belong to root; the account writes one level below.
    install -d -m 755 -o root -g root "/srv/sftp/$account"
    for folder in incoming outgoing archive; do
        install -d -m 2770 -o "$account" -g enquetes "/srv/sftp/$account/$folder"
    done
done

exec /usr/sbin/sshd -D -e
