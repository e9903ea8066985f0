"""Takes the picture of the playground with which the README opens.

    python -m tools.picture

Starts `misaki serve` without a local model, talks with her in Chromium, opens an explanation, and writes
docs/playground.png.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path("docs/playground.png")
SETTINGS = {"USE_LOCAL_LLM": "false", "SESSION_STORE": "memory", "MISAKI_ENV_FILE": "off", "PYTHONUNBUFFERED": "1"}
PATIENCE = 180_000
"""Milliseconds; a bot that has no stored plan learns its kinds of sentences first."""
SAID = ("こんばんは", "ビールください")


def main() -> int:
    """0 where the picture was written."""
    command = [sys.executable, "-m", "engine", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **SETTINGS}) as server:
        try:
            lines = server.stdout or ()
            found = (re.search(r"open (http://\S+) in a browser", line) for line in lines)
            take(next(match[1] for match in found if match))
        finally:
            server.terminate()
    print(f"written {PICTURE}")
    return 0


def take(url: str) -> None:
    """The page after two turns, the second explained."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(locale="ja-JP", viewport={"width": 1200, "height": 900}, color_scheme="light")
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.locator("header summary").click()
        page.locator("#now").fill("2026-11-20T19:30")
        page.locator("header summary").click()
        for number, text in enumerate(SAID):
            page.locator("#text").fill(text)
            page.keyboard.press("Enter")
            page.locator(".why").nth(number).wait_for()
        page.locator(".why > summary").last.click()
        page.locator(".why section").wait_for()
        page.locator(".why li > details > summary").first.click()
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
