#!/usr/bin/env bash
# Builds a target of the Dockerfile with docker, or with buildah where there is no docker daemon.
#   TARGET=runtime|runtime-with-model|development   IMAGE=name   MODEL=path   BASE_IMAGE=name   tools/image/build.sh
# Without BASE_IMAGE it is the public Lambda base, or the one of base.sh where the public one cannot be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/image/engine.sh
target=${TARGET:-runtime}
image=${IMAGE:-localhost/snack-misaki-backend:$target}
public=$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)
debian=localhost/lambda-python:3.11-debian

has() { "$engine" image inspect "$1" >/dev/null 2>&1; }

base=${BASE_IMAGE:-}
if [ -z "$base" ]; then
    if has "$public" || timeout 300 "$engine" pull --quiet "$public" >/dev/null 2>&1; then
        base=$public
    else
        echo "$public cannot be pulled: building on Debian instead"
        has "$debian" || tools/image/base.sh "$debian"
        base=$debian
    fi
fi

arguments=(--build-arg "BASE_IMAGE=$base" --target "$target" --tag "$image")
[ -z "${MODEL:-}" ] || arguments+=(--build-arg "MODEL=$MODEL")
if [ "$engine" = docker ]; then
    docker build "${arguments[@]}" .
else
    # The machine's own certificates are there while building, for networks that inspect traffic; none is kept.
    [ ! -d /etc/ssl/certs ] || arguments+=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
    buildah build --isolation chroot --layers "${arguments[@]}" .
fi
echo "$image"
