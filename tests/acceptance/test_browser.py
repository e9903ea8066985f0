"""A page on another origin talks to `misaki serve` in a real browser."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.acceptance.processes import served

PAGE = """<!doctype html><meta charset="utf-8"><title>another origin</title><p id="reply"></p><p id="message"></p>
<script>
async function ask(url, payload) {
  const options = {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(payload)};
  const response = await fetch(url, options);
  const body = await response.json();
  document.querySelector("#reply").textContent = body.reply || "";
  document.querySelector("#message").textContent = body.message || "";
  return {status: response.status, body};
}
</script>"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is http.server's
        pass


@pytest.fixture(scope="module")
def origin():
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running


@pytest.fixture
def page(browser, origin):
    opened = browser.new_page()
    opened.goto(origin)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "payload",
    [
        {"message": "こんばんは"},
        {
            "conversation": [
                {"role": "user", "content": "やっと着いた"},
                {"role": "assistant", "content": "いらっしゃい。"},
                {"role": "user", "content": "こんばんは"},
            ],
            "metadata": {"session_id": "seat-7"},
        },
    ],
    ids=["message", "conversation"],
)
def test_a_page_on_another_origin_shows_the_reply(page, server, payload):
    preflights: list = []
    page.on("request", lambda request: preflights.append(request.method))
    result = page.evaluate("([url, payload]) => ask(url, payload)", [server.url + "/chat", payload])
    assert result["status"] == 200
    assert result["body"]["engine"] == "canned"
    shown = page.text_content("#reply")
    assert shown == page.text_content("#message") == result["body"]["reply"] != ""
    if "metadata" in payload:
        assert result["body"]["session_id"] == "seat-7"


def test_a_page_can_read_what_was_wrong(page, server):
    result = page.evaluate("([url, payload]) => ask(url, payload)", [server.url + "/chat", {"message": ""}])
    assert (result["status"], result["body"]["code"]) == (400, "message_empty")


def test_only_listed_origins_get_in(page, origin):
    ask = "([url, payload]) => ask(url, payload).catch(error => ({status: error.name}))"
    for allowed, status in ((origin, 200), ("https://elsewhere.example", "TypeError")):
        with served(env={"ALLOWED_ORIGINS": allowed}) as guarded:
            result = page.evaluate(ask, [guarded.url + "/chat", {"message": "こんばんは"}])
        assert result["status"] == status


def test_a_page_can_carry_the_client_token(page):
    ask = """async ([url, payload]) => (await fetch(url, {
        method: "POST", body: JSON.stringify(payload),
        headers: {"Content-Type": "application/json", "Authorization": "Bearer open-sesame"},
    })).status"""
    with served(env={"CLIENT_TOKEN": "open-sesame"}) as guarded:
        assert page.evaluate(ask, [guarded.url + "/chat", {"message": "こんばんは"}]) == 200
