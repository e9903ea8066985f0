#!/usr/bin/env bash
# Writes the files of exact versions: constraints.txt, which every `pip install` of the Makefile reads, and
# requirements/*.txt with hashes, which the image and the lint tools are installed from. Versions already there are kept;
# `tools/lock.sh --upgrade` takes newer ones.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-uv}
common=(--quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url "$@")
hashed=(--generate-hashes)

# The last argument is the file to write.
lock() {
    "$uv" pip compile "${common[@]}" "${@:1:$#-1}" --output-file "${!#}"
    sed -i '1i # Every version, exactly; written by `make lock`.' "${!#}"
}

# Names of a locked file, as arguments that leave them out of another.
without() { sed -nE 's/^([a-z0-9][a-z0-9._-]*)==.*/--no-emit-package=\1/p' "$@"; }

lock pyproject.toml --all-extras --constraint requirements/bounds.in --no-emit-package snack-misaki-backend constraints.txt

# Everything else is of those versions: what is tested is what runs.
hashed+=(--constraint constraints.txt)
apart=(--no-emit-package snack-misaki-backend --no-emit-package llama-cpp-python --no-emit-package hf-xet)
# `misaki serve` runs on a desk, and not on Lambda.
lock "${hashed[@]}" pyproject.toml --extra local --extra external --extra metrics --extra auth requirements/image.in "${apart[@]}" \
    --no-emit-package starlette --no-emit-package uvicorn requirements/runtime.txt
mapfile -t shipped < <(without requirements/runtime.txt)
lock "${hashed[@]}" requirements/native.in "${shipped[@]}" requirements/native.txt
lock "${hashed[@]}" pyproject.toml --all-extras "${apart[@]}" "${shipped[@]}" requirements/development.txt

# These live in environments of their own.
lock --generate-hashes requirements/toolchain.in requirements/toolchain.txt
lock --generate-hashes requirements/infra.in requirements/infra.txt
