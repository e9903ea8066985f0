"""What of a developer's environment no test may see: settings of the engine, of AWS, and of the terminal's colours."""

from __future__ import annotations

import os
import re

SETTING = re.compile(
    r"MISAKI_|LOCAL_LLM|USE_LOCAL|OPENAI|BEDROCK|HUGGINGFACE|SESSION_STORE|ALLOW|CLIENT_TOKEN|LOG_TEXT|METRICS|AWS_"
    r"|FORCE_COLOR|NO_COLOR"
)
NOTHING_ELSE = {
    "MISAKI_ENV_FILE": "off",
    "MISAKI_LANG": "en",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "SESSION_STORE": "memory",
}
"""Nor what a `.env` of this folder holds, nor what AWS's SDK finds in the home folder or by asking
the machine; and no test leaves conversations there.
"""
