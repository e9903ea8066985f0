#!/bin/sh
# Lambda names its runtime API; anywhere else the emulator stands in for it, on port 8080.
set -eu
# Its protocol for streams is spoken by our own client only; the emulator knows none.
if [ -n "${AWS_LAMBDA_RUNTIME_API:-}" ] && [ "${STREAMING:-}" = true ]; then
    exec python3.11 -m engine.aws.runtime "$@"
fi
if [ -n "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
    exec python3.11 -m awslambdaric "$@"
fi
exec aws-lambda-rie --runtime-interface-emulator-address "${EMULATOR_ADDRESS:-0.0.0.0:8080}" \
    python3.11 -m awslambdaric "$@"
