#!/bin/sh
# Takes out of a folder of installed packages what a function on Lambda never loads: libraries for graphics cards,
# headers and static libraries, command-line scripts. Lambda has none of the former, and the image no compiler. What
# gpt4all runs on a processor is its library for Kompute, without a device.
set -eu
cd "$1"
rm -rf bin include lib lib64
rm -f gpt4all/llmodel_DO_NOT_MODIFY/build/*-cuda*.so gpt4all/llmodel_DO_NOT_MODIFY/build/*-avxonly.so
find . \( -name '*.h' -o -name '*.a' -o -name '*.hpp' \) -type f -delete
# A wheel holds no links, so that a library stands there under three names.
for library in llama_cpp/lib/*.so; do
    [ -e "$library.0" ] || continue
    rm -f "$library" "$library".0.*
    ln -s "$(basename "$library").0" "$library"
done
