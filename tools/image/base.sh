#!/usr/bin/env bash
# Makes a base image from Debian 12, whose Python is 3.11, for places that cannot pull the public Lambda base: the same
# Python, pip and Runtime Interface Emulator, under the same names. Needs mmdebstrap.
#   tools/image/base.sh [NAME]
set -euo pipefail
cd "$(dirname "$0")/../.."
name=${1:-localhost/lambda-python:3.11-debian}
. tools/image/engine.sh
command -v mmdebstrap >/dev/null || { echo "mmdebstrap is not installed: Debian's package of that name" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
emulator=$(python3 -c 'from tools.lambda_emulator import emulator; print(emulator())' | tail -n 1)
mmdebstrap --quiet --variant=minbase --include=python3.11,python3-pip,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="copy-in $emulator /usr/local/bin" \
    --customize-hook="mv \"\$1/usr/local/bin/$(basename "$emulator")\" \"\$1/usr/local/bin/aws-lambda-rie\"" \
    --customize-hook='chmod 755 "$1/usr/local/bin/aws-lambda-rie"' \
    bookworm "$scratch/base.tar"
if [ "$engine" = docker ]; then
    docker import "$scratch/base.tar" "$name" >/dev/null
else
    podman import --quiet "$scratch/base.tar" "$name" >/dev/null
fi
echo "$name"
