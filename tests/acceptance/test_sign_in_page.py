"""The example page signs in through Cognito's managed login in a real browser, and keeps its talks in rooms."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.acceptance.cognito import PASSWORD, pool
from tests.acceptance.processes import ROOT, ministack, served
from tools.lambda_emulator import free_port

EXAMPLE = (ROOT / "examples" / "signin.html").read_text("utf-8")
USER = "yuki@example.com"
TITLE = "火曜の夜"


class Page(BaseHTTPRequestHandler):
    """Serves the page with the settings of its server in the place of those in the file."""

    def do_GET(self):
        settings = json.dumps(self.server.settings)
        body = re.sub(r'(?<=id="settings">).*?(?=</script>)', lambda _: settings, EXAMPLE, count=1, flags=re.DOTALL)
        self.send_response(200 if self.path.partition("?")[0] == "/signin.html" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def web():
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def address(web, tmp_path_factory):
    """Where the page is, with Cognito and a bot behind it."""
    origin = f"http://localhost:{web.server_port}"
    page = f"{origin}/signin.html"
    with ministack(free_port(), tmp_path_factory.mktemp("ministack")) as aws, pool(aws, page, USER) as guests:
        env = {**guests.settings, "SESSION_STORE": "memory", "ALLOWED_ORIGINS": origin}
        with served(env=env) as server:
            web.settings = {"api": server.url, "signIn": guests.url, "clientId": guests.client}
            yield page


@pytest.fixture
def tabs(browser):
    """A browser of its own, in Japanese. What its pages throw fails the test."""
    context = browser.new_context(locale="ja-JP")
    thrown = []
    context.on("weberror", lambda error: thrown.append(error.error))
    yield context
    context.close()
    assert thrown == []


def opened(tabs, address):
    tab = tabs.new_page()
    tab.goto(address)
    return tab


def sign_in(tab, address):
    tab.click("#sign-in")
    tab.fill("#username", USER)
    tab.fill("#password", PASSWORD)
    tab.click("button[type=submit]")
    tab.wait_for_url(address)
    tab.wait_for_selector("#side:not([hidden])")


def say(tab, text):
    """Says it, and waits until the page shows it with a reply behind it."""
    tab.fill("#text", text)
    tab.click("#send")
    tab.wait_for_selector(f".mine:text-is('{text}') + .theirs")


def lines(tab):
    return tab.locator("#turns .mine").all_text_contents()


def test_signs_in_talks_reloads_finds_the_room_renames_and_deletes_it(tabs, address):
    tab = opened(tabs, address)
    seen = []
    tabs.on("request", lambda request: seen.append(request.url))
    assert tab.text_content("#sign-in") == "サインイン"
    sign_in(tab, address)
    say(tab, "こんばんは")
    tab.reload()
    tab.wait_for_selector(".mine:text-is('こんばんは')")
    room = tab.locator("#rooms .room")
    tab.wait_for_selector("#rooms button:text-is('こんばんは')")

    tab.once("dialog", lambda dialog: dialog.accept(TITLE))
    room.get_by_text("名前を変更").click()
    tab.wait_for_selector(f"#rooms button:text-is('{TITLE}')")

    token = tab.evaluate("sessionStorage.getItem('token')")
    assert token.count(".") == 2
    assert not [url for url in seen if token in url or "access_token" in url or "code_verifier" in url]
    assert tab.evaluate("localStorage.length") == 0

    tab.once("dialog", lambda dialog: dialog.accept())
    room.get_by_text("削除").click()
    room.wait_for(state="detached")
    assert lines(tab) == []

    tab.click("#sign-out")
    tab.wait_for_url(address)
    tab.wait_for_selector("#sign-in:not([hidden])")
    assert tab.evaluate("[sessionStorage.length, document.querySelector('#side').hidden]") == [0, True]


def test_two_tabs_at_once_lose_nothing(tabs, address):
    first, second = (opened(tabs, address) for _ in range(2))
    for tab in (first, second):
        sign_in(tab, address)
    say(first, "ただいま")
    second.reload()
    second.click("#rooms button:text-is('ただいま')")
    second.wait_for_selector(".mine:text-is('ただいま')")
    said = {"ただいま"}
    for number in range(5):
        for name, tab in (("一", first), ("二", second)):
            text = f"{name}の{number}"
            tab.fill("#text", text)
            said.add(text)
        for tab in (first, second):
            tab.evaluate("document.querySelector('#send').click()")
        for tab in (first, second):
            tab.wait_for_function("!document.querySelector('#send').disabled && !document.querySelector('#text').value")
    for tab in (first, second):
        tab.reload()
        tab.wait_for_selector(".mine:text-is('ただいま')")
        assert sorted(lines(tab)) == sorted(said)


def test_a_message_whose_answer_was_lost_is_said_once(tabs, address):
    tab = opened(tabs, address)
    sign_in(tab, address)
    say(tab, "こんばんは")

    def lose(route):
        route.fetch()
        route.abort()

    tab.route("**/chat", lose, times=1)
    tab.fill("#text", "疲れたよ")
    tab.click("#send")
    tab.wait_for_function("document.querySelector('#notice').textContent")
    assert tab.input_value("#text") == "疲れたよ"
    tab.click("#send")
    tab.wait_for_selector(".mine:text-is('疲れたよ') + .theirs")
    assert lines(tab) == ["こんばんは", "疲れたよ"]


def test_what_a_guest_said_is_there_after_signing_in(tabs, address):
    tab = opened(tabs, address)
    say(tab, "はじめまして")
    sign_in(tab, address)
    tab.wait_for_selector(".mine:text-is('はじめまして')")
    tab.wait_for_selector("#rooms button:text-is('はじめまして')")


@pytest.mark.parametrize("query", ["?code=stolen&state=guessed", "?code=stolen", "?error=access_denied&state=x"])
def test_a_code_that_nobody_asked_for_is_not_used(tabs, address, query):
    tab = opened(tabs, address)
    tab.evaluate("sessionStorage.setItem('state', 'asked'), sessionStorage.setItem('verifier', 'v'.repeat(43))")
    seen = []
    tabs.on("request", lambda request: seen.append(request.url))
    tab.goto(address + query)
    tab.wait_for_function("document.querySelector('#notice').textContent")
    assert tab.text_content("#notice") == "サインインできませんでした。もう一度お試しください。"
    assert tab.url == address
    assert not [url for url in seen if "/oauth2/token" in url]
    assert tab.evaluate("sessionStorage.length") == 0


def test_a_token_that_is_not_accepted_asks_to_sign_in_again(tabs, address):
    tab = opened(tabs, address)
    sign_in(tab, address)
    tab.evaluate("sessionStorage.setItem('token', sessionStorage.getItem('token').slice(0, -8) + 'AAAAAAAA')")
    tab.reload()
    tab.wait_for_selector("#sign-in:not([hidden])")
    assert tab.text_content("#notice").startswith("サインインの有効期限が切れました")


def test_the_page_speaks_english_to_others(browser, address):
    context = browser.new_context(locale="en-GB")
    tab = opened(context, address)
    assert tab.text_content("#sign-in") == "Sign in"
    assert tab.get_attribute("html", "lang") == "en"
    context.close()


def test_the_page_is_one_file_and_says_the_same_in_both_languages():
    assert not re.search(r"""(?:src|href)=|\bimport\b""", EXAMPLE)
    english, japanese = (
        set(re.findall(r"(\w+): \"", EXAMPLE.partition(f"  {language}: {{")[2].partition("\n  }")[0]))
        for language in ("en", "ja")
    )
    assert english == japanese != set()
