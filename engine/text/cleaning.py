"""Makes text from outside safe to match, store, render and send, and covers in it what looks like a credential.

Lone surrogates break SQLite, botocore and llama.cpp; NUL, control and invisible characters hide words from matching
and from a reader's eye. All is linear in the text's length. This module knows nothing of where the text came from or
how long it may be.
"""

from __future__ import annotations

import re

_NEWLINES = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")

# Control characters but tab and newline; soft hyphen, grapheme joiner, Arabic letter mark, Hangul fillers, Khmer and
# Mongolian signs without a form; zero-width and bidi marks; invisible operators; the empty braille pattern; interlinear
# anchors; byte-order mark; lone surrogates; non-characters; tags and variation selectors, a row of which can carry a
# hidden text. A zero-width joiner and the choice between two forms stay where they belong to emoji.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
    "|(?<![\ufe0f\u2600-\u27bf\U0001f000-\U0001faff])\u200d"
    "|(?<![#*0-9\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]"
)


def clean(text: str) -> str:
    """`text` without characters that no reader sees, with one kind of newline and no space at either end."""
    return _UNWANTED.sub("", _NEWLINES.sub("\n", text)).strip()


CREDENTIAL = (
    r"\b(?:(?:sk-|xai-|pplx-|nvapi-|csk-|bedrock-api-key-|github_pat_|gsk_|fw_|r8_|api_org_)[A-Za-z0-9_-]{16,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|glpat-[A-Za-z0-9_-]{16,}|ya29\.[A-Za-z0-9_-]{16,}|dapi[0-9a-f]{32}"
    r"|ABSK[A-Za-z0-9+/=]{60,}|(?:AKIA|ASIA)[0-9A-Z]{16}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{30,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|(?<=hooks\.slack\.com/services/)\S+|(?<=://)[^\s/@:]{0,64}:[^\s/@]+(?=@)"
)
FOLDERS = (
    r"(?<=`)/[^`\n]*/(?=[^`/\n]*`)|(?:(?<=sqlite:)|(?<=file://)|(?<![\w.:/~*-]))/(?:[^\s/`'\"<>|,;:]+/)+"
    r"|\b[A-Z]:\\(?:[^\s\\/`'\"<>|,;:]+\\)+"
)
"""The folders of an absolute path; its last part tells enough to whoever may know the rest."""

_SHOWN = 3
"""Leading characters that tell which kind it is."""


def covered(text: str) -> str:
    """`text` with everything that looks like a credential replaced by as many signs."""
    return re.sub(CREDENTIAL, lambda found: found[0][:_SHOWN] + "*" * (len(found[0]) - _SHOWN), text)
