#!/bin/bash
# Lance toutes les vérifications : style, types, contrats, gabarits, réglages, puis les tests sur SQLite et sur PostgreSQL.
#   scripts/test.sh             tout (« make test »)
#   scripts/test.sh lint        sans les tests (« make lint »)
#   scripts/test.sh sqlite      les tests sur SQLite seulement
#   scripts/test.sh postgresql  les tests sur PostgreSQL seulement
# PostgreSQL et Redis sont démarrés à part, dans un dossier temporaire, et arrêtés à la fin.
set -u
cd "$(dirname "$0")/.." || exit 2
what="${1:-all}"
workers="${TEST_WORKERS:-2}"
export PATH="$PWD/.venv/bin:$PATH"
export PYTHONDONTWRITEBYTECODE=1
logs=var/checks
started=$SECONDS
summary=()
failed=0
scratch=""
redis_pid=""
postgres_pid=""

# --- One check after the other ---------------------------------------------------------------------------------------

check() { # name, command…
    local name="$1" begun=$SECONDS log status
    shift
    log="$logs/$(iconv -t ASCII//TRANSLIT <<<"$name" | tr -cs "a-zA-Z0-9\n" "-" | sed 's/-$//').log"
    printf '\n→ %s\n' "$name"
    if [[ "$name" == Tests* ]]; then
        "$@" 2>&1 | tee "$log"
        status=${PIPESTATUS[0]}
    else
        "$@" >"$log" 2>&1
        status=$?
        ((status == 0)) || tail -n 60 "$log"
    fi
    if ((status == 0)); then
        summary+=("$(printf '  ✓ %-44s %4d s' "$name" $((SECONDS - begun)))")
    else
        failed=1
        summary+=("$(printf '  ✗ %-44s %4d s   %s' "$name" $((SECONDS - begun)) "$log")")
    fi
}

under_production_settings() ( # made-up values: only their presence and shape are checked, nothing is reached
    set -a
    . deploy/placeholder.env
    "$@"
)

static_checks() {
    check "Style du code (ruff)" ruff check .
    check "Mise en forme (ruff)" ruff format --check .
    check "Contrats d'import" lint-imports
    check "Types (mypy)" mypy
    check "Gabarits (djlint)" djlint templates --lint
    check "Orthographe anglaise (codespell)" codespell campaigns tenants returns portal tracking config docs/adr
    check "Dépendances (deptry)" deptry . --no-ansi
    check "Réglages de production" under_production_settings python manage.py check --deploy --fail-level WARNING
    check "Migrations à jour" env DJANGO_SETTINGS_MODULE=config.settings.test python manage.py makemigrations --check --dry-run
}

# --- Private servers -------------------------------------------------------------------------------------------------

postgres_folder() {
    local folder
    # shellcheck disable=SC2012 # plain version numbers
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr); do
        if [[ -x "$folder/initdb" ]]; then echo "$folder" && return; fi
    done
    dirname "$(readlink -f "$(command -v initdb)")"
}

as_postgres() { # PostgreSQL refuses to run as root
    if [[ $(id -u) == 0 ]]; then runuser -u "$postgres_user" -- "$@"; else "$@"; fi
}

start_postgres() {
    local bin data
    bin="$(postgres_folder)"
    data="$scratch/postgres"
    postgres_user="$(id -un postgres 2>/dev/null || echo nobody)"
    mkdir "$data" && chmod 711 "$scratch"
    if [[ $(id -u) == 0 ]]; then chown "$postgres_user" "$data"; fi
    (cd / && as_postgres "$bin/initdb" -D "$data/cluster" -U enquetes -A trust -E UTF8 --locale=C.UTF-8 -N) \
        >"$logs/postgres.log" 2>&1 || return 1
    (cd / && exec_as_postgres "$bin/postgres" -D "$data/cluster" -k "$data" -c listen_addresses= -c fsync=off \
        -c synchronous_commit=off -c full_page_writes=off -c max_connections=60) >>"$logs/postgres.log" 2>&1 &
    for _ in {1..100}; do
        if "$bin/pg_isready" -q -h "$data" -U enquetes -d postgres; then
            postgres_pid="$(head -n 1 "$data/cluster/postmaster.pid")"
            export PGHOST="$data" PGUSER=enquetes PGDATABASE=postgres
            return 0
        fi
        sleep 0.2
    done
    return 1
}

exec_as_postgres() {
    if [[ $(id -u) == 0 ]]; then exec runuser -u "$postgres_user" -- "$@"; else exec "$@"; fi
}

start_redis() {
    local port
    port="$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
    redis-server --bind 127.0.0.1 --port "$port" --save "" --appendonly no --dir "$scratch" >"$logs/redis.log" 2>&1 &
    redis_pid=$!
    for _ in {1..50}; do
        if [[ $(redis-cli -p "$port" ping 2>/dev/null) == PONG ]]; then
            export TEST_REDIS_URL="redis://127.0.0.1:$port/0"
            return 0
        fi
        sleep 0.1
    done
    return 1
}

stop_servers() {
    if [[ -n "$redis_pid" ]]; then kill "$redis_pid" 2>/dev/null && wait "$redis_pid" 2>/dev/null; fi
    if [[ -n "$postgres_pid" ]]; then
        kill -INT "$postgres_pid" 2>/dev/null
        for _ in {1..50}; do kill -0 "$postgres_pid" 2>/dev/null || break; sleep 0.2; done
    fi
    if [[ -n "$scratch" ]]; then rm -rf "$scratch"; fi
}

# --- The tests -------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2086 # PYTEST_ARGS is several words, for instance "tests/tenants -x"
on_sqlite() { env TEST_DATABASE=sqlite pytest -n "$workers" -q ${PYTEST_ARGS:-}; }
# Journeys and browsers look at pages, not at the database: once is enough. So is a test that asks for no database
# (tests/conftest.py leaves it out).
# shellcheck disable=SC2086
on_postgresql() {
    env TEST_DATABASE=postgresql pytest -n "$workers" -q -m "not browser and not journey" ${PYTEST_ARGS:-}
}

tests() {
    scratch="$(mktemp -d "${TMPDIR:-/tmp}/enquetes.XXXXXX")"
    trap stop_servers EXIT
    trap 'exit 130' INT TERM
    check "Redis de test" start_redis
    if [[ "$what" != postgresql ]]; then check "Tests sur SQLite" on_sqlite; fi
    if [[ "$what" != sqlite ]]; then
        check "PostgreSQL de test" start_postgres
        if [[ -n "$postgres_pid" ]]; then check "Tests sur PostgreSQL" on_postgresql; fi
    fi
}

scripts/setup.sh test || exit 1
mkdir -p "$logs"
rm -f "$logs"/*.log
case "$what" in
    all) static_checks; tests ;;
    lint) static_checks ;;
    sqlite | postgresql) tests ;;
    *) echo "Usage : scripts/test.sh [lint|sqlite|postgresql]" >&2; exit 2 ;;
esac

printf '\nBilan, %d s\n' $((SECONDS - started))
printf '%s\n' "${summary[@]}"
if ((failed)); then
    printf '\nDes vérifications ont échoué : le détail est dans les fichiers nommés ci-dessus.\n'
    exit 1
fi
printf '\nTout est bon.\n'
