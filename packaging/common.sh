# Shared by packaging/run and packaging/test: Python, its environment, system packages.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
unset PYTHONHOME PYTHONPATH

say() { printf '== %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Report whether a Debian package is installed, also under the name that time_t's 64 bits gave it.
installed() {
    local name state
    for name in "$1" "$1t64"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) || continue
        [[ $state == installed ]] && return 0
    done
    return 1
}

# Install what is missing of the given Debian packages. Touches neither apt nor the network when
# everything is there.
need() {
    local package missing=() sudo=()
    command -v dpkg-query >/dev/null ||
        die "this is not a Debian system; install the counterparts of these packages first: $*"
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if ((EUID)); then
        command -v sudo >/dev/null || die "run as root, or install first: ${missing[*]}"
        sudo=(sudo)
    fi
    say "installing ${missing[*]}"
    { "${sudo[@]}" apt-get update -q &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -q --no-install-recommends "${missing[@]}"; } >&2 ||
        die "apt-get could not install ${missing[*]} (is the network there?)"
}

# The libraries that PySide6's platform plugins (X11, Wayland, off-screen) load, and fonts.
need_qt() {
    if ! command -v dpkg-query >/dev/null; then
        say "this is not a Debian system: Qt's system libraries are taken to be there"
        return 0
    fi
    need libegl1 libgl1 libdbus-1-3 libfontconfig1 libglib2.0-0 libgssapi-krb5-2 \
        libxkbcommon0 libxkbcommon-x11-0 libx11-xcb1 libxcb-cursor0 libxcb-glx0 libxcb-icccm4 \
        libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render0 libxcb-render-util0 \
        libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1 \
        libwayland-client0 libwayland-cursor0 libwayland-egl1 \
        fonts-dejavu-core fonts-inter fonts-jetbrains-mono
}

# Report whether a program is a Python that can make an environment for us.
usable() {
    "$1" -c 'import sys, ensurepip, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

# Print a usable Python (3.11 to 3.13): the one on the path, another version, or Debian's.
find_python() {
    local name
    for name in "${ROUTESTUDIO_PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && usable "$name"; then
            command -v "$name"
            return 0
        fi
    done
    need python3 python3-venv
    usable /usr/bin/python3 || die "RouteStudio needs Python 3.11, 3.12 or 3.13"
    echo /usr/bin/python3
}

# Make the environment .venv with what a lock file pins, and RouteStudio itself, editable.
# Does nothing when that has been done. Arguments: a lock file's stem.
need_environment() {
    local lock=$root/packaging/$1.lock stamp=$venv/.$1.stamp python wanted
    if [[ -d $venv ]] && ! usable "$venv/bin/python"; then
        say "replacing .venv, whose Python does not work"
        rm -rf "$venv"
    fi
    if [[ ! -d $venv ]]; then
        python=$(find_python)
        say "making .venv with $("$python" --version)"
        "$python" -m venv "$venv"
    fi
    wanted=$("$venv/bin/python" --version && cat "$lock" "$root/pyproject.toml" | sha256sum)
    [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return 0
    say "installing what packaging/$1.lock pins"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        --require-hashes --requirement "$lock" >&2 || die "pip could not install what $lock pins"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-build-isolation --editable "$root" >&2 || die "pip could not install RouteStudio"
    printf '%s\n' "$wanted" >"$stamp"
}

# Make an environment of tools in .cache with what packaging/requirements-NAME.lock pins, and print
# where it is. Arguments: the name.
need_tools() {
    local tools=$root/.cache/$1 lock=$root/packaging/requirements-$1.lock wanted
    wanted="$tools $(sha256sum <"$lock")" # an environment that was moved does not work
    if ! usable "$tools/bin/python" || [[ ! -f $tools/stamp || $(<"$tools/stamp") != "$wanted" ]]; then
        rm -rf "$tools"
        mkdir -p "${tools%/*}"
        "$(find_python)" -m venv "$tools"
        "$tools/bin/python" -m pip --disable-pip-version-check --quiet install --no-deps \
            --require-hashes --requirement "$lock" >&2 || die "pip could not install what $lock pins"
        printf '%s\n' "$wanted" >"$tools/stamp"
    fi
    printf '%s\n' "$tools"
}
