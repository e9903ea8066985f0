#!/usr/bin/env bash
# Writes the files of exact versions: constraints.txt, which every `pip install` of the Makefile reads, and
# requirements/*.txt with hashes, which the image and the lint tools are installed from. Versions already there are kept;
# `tools/lock.sh --upgrade` takes newer ones.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-uv}
common=(--quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url "$@")
hashed=(--generate-hashes)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The last argument is the file to write.
lock() {
    "$uv" pip compile "${common[@]}" "${@:1:$#-1}" --output-file "${!#}"
    sed -i '1i # Every version, exactly; written by `make lock`.' "${!#}"
}

# Names of a locked file, as arguments that leave them out of another.
without() { sed -nE 's/^([a-z0-9][a-z0-9._-]*)==.*/--no-emit-package=\1/p' "$@"; }

lock pyproject.toml --all-extras constraints.txt

# The image's own bounds stand above the versions that everyone else takes.
grep -vE '^(google-re2|numpy|rapidfuzz)==' constraints.txt >"$scratch/constraints.txt"
lock "${hashed[@]}" pyproject.toml --extra local --extra external --extra metrics requirements/image.in \
    --constraint "$scratch/constraints.txt" --override requirements/overrides.in \
    --no-emit-package llama-cpp-python --no-emit-package hf-xet \
    --no-emit-package starlette --no-emit-package uvicorn requirements/runtime.txt

mapfile -t shipped < <(without requirements/runtime.txt)
lock "${hashed[@]}" requirements/native.in "${shipped[@]}" \
    --constraint "$scratch/constraints.txt" --constraint requirements/runtime.txt requirements/native.txt
lock "${hashed[@]}" pyproject.toml --all-extras "${shipped[@]}" \
    --constraint "$scratch/constraints.txt" --constraint requirements/runtime.txt --override requirements/overrides.in \
    --no-emit-package llama-cpp-python --no-emit-package hf-xet requirements/development.txt
lock "${hashed[@]}" requirements/toolchain.in requirements/toolchain.txt
lock "${hashed[@]}" requirements/infra.in requirements/infra.txt
