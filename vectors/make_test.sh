#!/usr/bin/env bash
# What `wzp-vectors make` writes must hold when it is checked.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" make --out "$dir"
"$1" check --quiet "$dir/wire.json" "$dir/crypto.json"
