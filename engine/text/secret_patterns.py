"""Finds text that looks like a credential, so that it can be reported, and covers it, so that no report repeats it.

The patterns are compiled when they are first used, as no first reply needs them.
"""

from __future__ import annotations

import re

CREDENTIAL = (
    r"\b(?:(?:sk-|xai-|pplx-|nvapi-|csk-|bedrock-api-key-|github_pat_|gsk_|fw_|r8_|api_org_)[A-Za-z0-9_-]{16,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|glpat-[A-Za-z0-9_-]{16,}|ya29\.[A-Za-z0-9_-]{16,}|dapi[0-9a-f]{32}"
    r"|ABSK[A-Za-z0-9+/=]{60,}|(?:AKIA|ASIA)[0-9A-Z]{16}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{30,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
FOLDERS = r"(?<=`)/[^`\n]*/(?=[^`/\n]*`)|(?<![\w.:/~*-])/(?:[^\s/`'\"<>|,;:]+/)+"
"""The folders of an absolute path; its last part tells enough to whoever may know the rest."""

_SHOWN = 3
"""Leading characters that tell which kind it is."""


def covered(text: str) -> str:
    """`text` with everything that looks like a credential replaced by as many signs."""
    return re.sub(CREDENTIAL, lambda found: found[0][:_SHOWN] + "*" * (len(found[0]) - _SHOWN), text)
