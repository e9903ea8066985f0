#!/bin/sh
# The compiler of the image's build stage, under each name that CMake calls (cc, c++, ar, ranlib). It builds for the
# oldest processors that Lambda has (AVX2 on x86_64, Graviton2 on arm64) and never for the building machine's own, and
# against the glibc of 2012, so that the result runs on every base.
set -eu
tool=$(basename "$0")
case "$tool" in
cc | c++) ;;
*) exec python3.11 -m ziglang "$tool" "$@" ;;
esac
case "$(uname -m)" in
x86_64) exec python3.11 -m ziglang "$tool" -target x86_64-linux-gnu.2.17 -mcpu=x86_64_v3 "$@" ;;
aarch64) exec python3.11 -m ziglang "$tool" -target aarch64-linux-gnu.2.17 -mcpu=neoverse_n1 "$@" ;;
*)
    echo "no Lambda function runs on $(uname -m)" >&2
    exit 1
    ;;
esac
