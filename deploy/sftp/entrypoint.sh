#!/bin/sh
# Make the accounts that the application tells of, serve, and follow every change of them within seconds.
# application.pub is the key of the application, which enters every account. More words go to sshd.
set -eu

accounts="${SFTP_ACCOUNTS_FILE:-/srv/sftp-accounts/accounts}"
here="$(dirname "$0")"
# shellcheck source=deploy/sftp/accounts.sh
. "${here}/accounts.sh"

install -m 600 "${SFTP_HOST_KEY_FILE:-/run/secrets/sftp_host_key}" /run/sshd/host_key
mkdir -p /run/sshd/keys
chmod 755 /run/sshd /run/sshd/keys
[ -e /etc/sftp/keys/application.pub ] || { echo "La clé publique de l'application manque : application.pub" >&2; exit 1; }
getent group sftp-accounts >/dev/null || groupadd --gid 10010 sftp-accounts

follow() {
    while :; do
        if [ -e "$accounts" ] && ! cmp -s "$accounts" /run/sshd/accounts; then
            # Applied from a copy, so that a file replaced meanwhile is applied whole the next time.
            install -m 600 "$accounts" /run/sshd/accounts.new
            apply_accounts /run/sshd/accounts.new
            mv /run/sshd/accounts.new /run/sshd/accounts
        fi
        [ "${1:-}" = once ] && return
        sleep 2
    done
}

rm -f /run/sshd/accounts
follow once
follow &
exec /usr/sbin/sshd -D -e -f "${SSHD_CONFIG:-/etc/ssh/sshd_config}" "$@"
