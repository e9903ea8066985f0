#!/bin/sh
# Makes the compiled engine in a folder of installed packages small: what only debuggers read goes (nine tenths of it), and
# so do the copies, because a wheel holds no links and brings every library under three names.
set -eu
cd "$1"
rm -rf bin include lib lib64
for library in llama_cpp/lib/*.so; do
    python3.11 -m ziglang objcopy --strip-all "$library.0" "$library.stripped"
    rm -f "$library" "$library".0*
    mv "$library.stripped" "$library.0"
    ln -s "$(basename "$library").0" "$library"
done
