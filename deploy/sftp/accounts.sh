# shellcheck shell=sh
# The accounts as the application tells them (manage.py sftp_accounts), made true here: sourced by entrypoint.sh.
#
# The file is read line by line, and only what has the shape of an account, of a hash or of a public key is believed:
#   account NAME HASH          HASH is $2b$… (bcrypt), or * when keys alone open
#   key [expiry-time="…"] KIND BODY

FOLDERS="depot restitution accuses archive"

apply_accounts() { # FILE
    rm -rf /run/sshd/wanted && mkdir -m 755 /run/sshd/wanted
    account=""
    while read -r word first rest; do
        case "$word" in
            account)
                account=""
                if named "$first" && hashed "$rest"; then
                    account="$first"
                    open_account "$account" "$rest"
                else
                    echo "Compte refusé, sa ligne est abîmée." >&2
                fi ;;
            key)
                if [ -n "$account" ] && printf '%s' "$first $rest" | grep -Eq "$KEY"; then
                    printf '%s\n' "${first}${rest:+ $rest}" >>"/run/sshd/wanted/$account"
                fi ;;
        esac
    done <"$1"
    for made in /run/sshd/wanted/*; do
        [ -e "$made" ] || continue
        chmod 644 "$made" && mv "$made" "/run/sshd/keys/${made##*/}"
    done
    close_others "$1"
}

KEY='^(expiry-time="[0-9]{14}Z" )?(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+$'

named() { printf '%s' "$1" | grep -Eq '^[a-z_][a-z0-9_-]{0,31}$' && [ "$1" != root ]; }

hashed() { [ "$1" = "*" ] || printf '%s' "$1" | grep -Eq '^\$2b\$[0-9]{2}\$[./A-Za-z0-9]{53}$'; }

open_account() { # NAME HASH
    if ! id -u "$1" >/dev/null 2>&1; then
        # The number of an account is that of its folders, so that a new container finds its files again.
        uid="$(stat -c %u "/srv/sftp/$1/depot" 2>/dev/null || next_uid)"
        useradd --uid "$uid" --no-user-group --gid nogroup --groups sftp-accounts --no-create-home --home-dir / \
            --shell /usr/sbin/nologin "$1" || { account=""; return 0; }
    fi
    # Never an account of the system.
    id -nG "$1" | tr ' ' '\n' | grep -qx sftp-accounts || { echo "Compte refusé : $1" >&2; account=""; return 0; }
    # « * » and not « ! »: OpenSSH refuses even the keys of an account that is locked.
    [ "$(getent shadow "$1" | cut -d: -f2)" = "$2" ] || usermod --password "$2" "$1"
    cat /etc/sftp/keys/application.pub >"/run/sshd/wanted/$1"
    # sshd wants the root of a locked folder to belong to root; the account writes one level below.
    install -d -m 755 -o root -g root "/srv/sftp/$1"
    for folder in $FOLDERS; do
        [ -d "/srv/sftp/$1/$folder" ] || install -d -m 700 "/srv/sftp/$1/$folder"
        chown "$1" "/srv/sftp/$1/$folder"
    done
}

next_uid() {
    highest=19999
    for folder in /srv/sftp/*/depot; do
        [ -d "$folder" ] || continue
        uid="$(stat -c %u "$folder")"
        [ "$uid" -le "$highest" ] || highest="$uid"
    done
    echo $((highest + 1))
}

close_others() { # FILE — whoever is told of no more opens nothing any more; the folders stay
    for file in /run/sshd/keys/*; do
        [ -e "$file" ] || continue
        name="${file##*/}"
        grep -q "^account $name " "$1" || { rm -f "$file"; usermod --password '*' "$name"; }
    done
}
