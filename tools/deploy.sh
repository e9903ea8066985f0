#!/usr/bin/env bash
# Builds the image, deploys the stack that a block of samconfig.toml describes, and asks the deployed bot something.
#   tools/deploy.sh [default|production]
set -euo pipefail
cd "$(dirname "$0")/.."
stage=${1:-default}
sam=.cache/infra/bin/sam
export SAM_CLI_TELEMETRY=0
"$sam" build --config-env "$stage"
"$sam" deploy --config-env "$stage" --no-progressbar
"$sam" list stack-outputs --config-env "$stage" --output json | python3 tools/smoke.py
