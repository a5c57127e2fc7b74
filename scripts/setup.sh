#!/bin/sh
# Prépare la machine et le dossier : paquets du système, environnement Python, fichiers de l'interface.
#   scripts/setup.sh demo    ce qu'il faut pour « make demo » et « make serve »
#   scripts/setup.sh test    en plus : PostgreSQL, Redis, OpenSSH, lftp, OpenSSL, Chromium, zbar et les outils des tests
# Peut être relancé sans crainte : ce qui est déjà là n'est pas refait.
set -eu
cd "$(dirname "$0")/.."
mode="${1:-demo}"
case "$mode" in
    demo) lock=requirements.txt ;;
    test) lock=requirements-dev.txt ;;
    *) echo "Usage : scripts/setup.sh demo|test" >&2; exit 2 ;;
esac

say() { printf '→ %s\n' "$*"; }
stop() { printf '✗ %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

# --- 1. What the system lacks ----------------------------------------------------------------------------------------

# The first interpreter that has all it takes to make an environment and compile for it, or else the first recent one.
# The system's own comes first: distributions build it with profiles, which makes it a quarter faster than a plain build.
find_python() {
    recent='sys.version_info >= (3, 11)'
    complete="$recent and os.path.exists(sysconfig.get_path('include') + '/Python.h')"
    for asked in "import ensurepip, os, sys, sysconfig, venv; sys.exit(not ($complete))" "import sys; sys.exit(not ($recent))"; do
        for name in /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python3; do
            if has "$name" && "$name" -c "$asked" 2>/dev/null; then
                echo "$name"
                return
            fi
        done
    done
}

has_postgresql() { has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
has_library() { ldconfig -p 2>/dev/null | grep -q "$1" || ls /usr/lib/*/"$1"* >/dev/null 2>&1; }
has_chromium() { has chromium || has chromium-browser || has google-chrome || has google-chrome-stable; }
old_node() { node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 0 : 1)'; }

missing=""
need() { missing="$missing $*"; }

list_missing() {
    missing=""
    if [ -x .venv/bin/python ]; then
        python=.venv/bin/python
    else
        python="$(find_python)"
        [ -n "$python" ] || need python3
        [ -n "$python" ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null && need python3-venv
    fi
    # psycopg2 is compiled at its first installation.
    if ! .venv/bin/python -c 'import psycopg2' 2>/dev/null; then
        has pg_config || need libpq-dev
        has gcc || need gcc libc6-dev
        header="$("${python:-python3}" -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null || true)"
        [ -f "$header/Python.h" ] || need python3-dev
    fi
    has node || need nodejs
    has npm || need npm
    if has node && old_node; then stop "Node $(node --version) est trop ancien : installez Node 18 ou plus récent."; fi
    has tesseract || need tesseract-ocr
    if ! has tesseract || ! tesseract --list-langs 2>/dev/null | grep -qx fra; then need tesseract-ocr-fra; fi
    [ "$mode" = test ] || return 0
    has_postgresql || need postgresql
    has redis-server || need redis-server
    has sshd || [ -x /usr/sbin/sshd ] || need openssh-server
    has sftp || need openssh-client
    has lftp || need lftp
    has_chromium || need chromium
    has pdftotext || need poppler-utils
    has qpdf || need qpdf
    has_library libzbar.so.0 || need libzbar0
    has dmtxread || need dmtx-utils
    has openssl || need openssl
}

install_missing() {
    # shellcheck disable=SC2086 # one word per package
    set -- $missing
    has apt-get || stop "Il manque : $*. Installez ces logiciels (noms des paquets Debian), puis relancez la commande."
    if [ "$(id -u)" = 0 ]; then
        as_root="env"
    elif has sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root="sudo env"
    else
        stop "Il manque des paquets. Lancez en administrateur : apt-get update && apt-get install -y --no-install-recommends $*"
    fi
    say "Paquets du système à installer : $*"
    apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0"
    $apt update >/dev/null || say "La liste des paquets n'a pas pu être rafraîchie : on continue avec celle qui est là."
    $apt install -y --no-install-recommends "$@" </dev/null >/dev/null || stop "L'installation de ces paquets a échoué : $*"
}

list_missing
if [ -n "$missing" ]; then
    install_missing
    list_missing
    [ -z "$missing" ] || stop "Après installation, il manque encore :$missing. Python 3.11 est le plus ancien accepté."
fi

# --- 2. The Python environment ---------------------------------------------------------------------------------------

# The packages of the tests contain those of the demonstration: one stamp says which locks are installed.
stamp=.venv/.installed
if [ ! -x .venv/bin/python ]; then
    say "Environnement Python : création de .venv avec $("$python" --version)"
    "$python" -m venv .venv
fi
wanted="$(digest "$lock")"
if ! grep -qs "$wanted" "$stamp"; then
    say "Paquets Python : installation de ceux que fige $lock (empreintes vérifiées)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$lock"
    if [ "$mode" = test ]; then digest requirements.txt; fi >"$stamp.new"
    echo "$wanted" >>"$stamp.new"
    mv "$stamp.new" "$stamp"
fi

# --- 3. Front-end files, fonts, handwriting samples ------------------------------------------------------------------

stamp=node_modules/.installed
wanted="$(digest package.json package-lock.json)"
if ! grep -qs "$wanted" "$stamp"; then
    say "Fichiers de l'interface : installation de ceux que fige package-lock.json"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$wanted" >"$stamp"
fi
mkdir -p var
say "Tout est prêt ($mode)."
