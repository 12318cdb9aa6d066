#!/usr/bin/env bash
# Make the checkout's own Python environment from its lock. Idempotent.
set -euo pipefail
environment=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

find_python() {
    for candidate in python3.11 python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update -qq >&2 && apt-get install -y -qq python3 python3-venv >&2
        echo python3
        return
    fi
    echo "hune: Python 3.11 or newer with venv is needed; install it and run again" >&2
    exit 2
}

[ -x "$environment/bin/python" ] || "$(find_python)" -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
    -r "$root/tests/requirements.txt"
"$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --editable "$root"
