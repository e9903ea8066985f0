#!/usr/bin/env bash
# Writes the digest of each image that others made behind its name: of the Dockerfile's base, and of the compose file's
# services. Needs docker with buildx, and the registries. Run it again to take newer images, and commit what it writes.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

# Both architectures have one digest: that of the index.
digest() { docker buildx imagetools inspect "$1" --format '{{.Manifest.Digest}}'; }

pin() {
    name=${1%@*}
    found=$(digest "$name")
    [[ $found =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "$name has no digest: $found" >&2; exit 1; }
    sed -i "s#${name}\(@sha256:[0-9a-f]*\)\?#${name}@${found}#g" Dockerfile docker-compose.yml
    echo "$name@$found"
}

pin "$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)"
for image in $(sed -n 's/^ *image: \([a-z0-9.-]*\/[^ ]*\)$/\1/p' docker-compose.yml); do
    pin "$image"
done
