# Sourced: sets `engine` to docker where its daemon answers, and else to podman, with buildah to build.
if docker info >/dev/null 2>&1; then
    engine=docker
elif command -v buildah >/dev/null && command -v podman >/dev/null; then
    engine=podman
else
    echo "an image needs docker with a running daemon, or buildah and podman" >&2
    exit 1
fi
