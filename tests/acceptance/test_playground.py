"""The playground and the widget in a real browser, served by `misaki serve`."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.acceptance.processes import ROOT, python_path, run, served

COMPOSED = """element => {
  const press = more => element.dispatchEvent(
    new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true, ...more}));
  element.dispatchEvent(new CompositionEvent("compositionstart"));
  press({isComposing: true});
  element.dispatchEvent(new CompositionEvent("compositionend"));
  press({keyCode: 229});
}"""
"""Enter while an input method converts, as Chromium and as Safari tell it."""


class Site(BaseHTTPRequestHandler):
    """A page of another origin that lets nothing in but the widget, unless it is `/open`; `backend` serves that."""

    backend = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        policy = f"default-src 'none'; script-src {self.backend}; connect-src {self.backend}; "
        if self.path != "/open":
            self.send_header("Content-Security-Policy", policy + "require-trusted-types-for 'script'")
        self.end_headers()
        attributes = f'src="{self.backend}/widget.js" data-endpoint="{self.backend}" data-title="美砂樹" data-lang="ja"'
        page = '<!doctype html><html lang="ja"><title>a site</title><main><h1>a site</h1></main>'
        self.wfile.write(f"{page}<script {attributes}></script>".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is http.server's
        pass


@pytest.fixture(scope="module")
def server():
    with served(env={"SESSION_STORE": "memory"}) as running:
        yield running


@pytest.fixture(scope="module")
def site(server):
    handler = type("OurSite", (Site,), {"backend": server.url})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def page(browser):
    opened = browser.new_page(locale="ja-JP", viewport={"width": 1280, "height": 800})
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    # A server that is busy for a moment is asked again; the browser notes that it was.
    opened.on(
        "console",
        lambda said: opened.complaints.append(said.text) if said.type == "error" and " 503 " not in said.text else None,
    )
    yield opened
    opened.close()


@pytest.fixture
def playground(page, server):
    page.goto(server.url)
    yield page
    assert page.complaints == []


def say(page, text):
    page.get_by_label("メッセージ").fill(text)
    page.keyboard.press("Enter")


def test_two_clicks_from_an_answer_to_why_not_another_with_file_and_line(playground):
    say(playground, "こんばんは")
    why = playground.locator(".why")
    assert re.search(r"canned · greet_\w+ · 得点 100\.0", why.inner_text())
    assert playground.locator(".said").count() == 2
    why.locator("summary").first.click()
    why.locator("li > details > summary").nth(1).click()
    refused = why.locator("li > details[open]")
    assert refused.locator("dt", has_text="判定").count() == 1
    assert re.search(r"replies/snack_misaki/\w+\.yml:\d+", refused.locator(".place button").inner_text())
    link = refused.locator(".place a").get_attribute("href")
    assert re.fullmatch(r"vscode://file/.+/replies/snack_misaki/\w+\.yml:\d+:\d+", link)


def test_why_not_a_reply_from_the_list_and_the_clock(playground):
    playground.locator("header summary").click()
    playground.get_by_label("時刻（空欄なら現在）").fill("2026-11-20T09:00")
    say(playground, "こんばんは")
    why = playground.locator(".why")
    why.locator("summary").first.click()
    why.get_by_label("台詞", exact=True).fill("no such reply")
    why.get_by_role("button", name="調べる").click()
    assert "その名前の台詞はありません" in why.locator("section").inner_text()
    why.get_by_label("台詞", exact=True).fill("greet_evening_late")
    why.get_by_role("button", name="調べる").click()
    why.locator("h3").first.wait_for()
    assert "不成立" in why.locator("section").inner_text()


def test_a_server_that_is_busy_for_a_moment_is_asked_again(playground):
    busy = {"error": "too many requests at once: try again in a moment", "code": "busy"}
    tries = []

    def refuse_once(route):
        tries.append(route.request.url.rpartition("/")[2])
        if tries.count(tries[-1]) > 1:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json=busy)

    playground.route(re.compile("/playground/(turn|explain|replies)$"), refuse_once)
    say(playground, "こんばんは")
    playground.locator(".why > summary").click()
    playground.locator(".why section").wait_for()
    assert sorted(tries) == sorted(["turn", "explain", "replies"] * 2)
    assert playground.locator(".said").count() == 2


def test_enter_that_ends_a_conversion_sends_nothing(playground):
    field = playground.get_by_label("メッセージ")
    field.fill("こんば")
    field.evaluate(COMPOSED)
    assert playground.locator(".said").count() == 0
    assert field.input_value() == "こんば"


def test_start_over_language_and_the_conversation_as_json(playground):
    say(playground, "こんばんは")
    playground.locator(".why").wait_for()
    with playground.expect_download() as download:
        playground.get_by_role("button", name="JSON で保存").click()
    saved = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert saved["turns"][0]["request"]["message"] == "こんばんは"
    playground.get_by_role("button", name="English").click()
    assert playground.locator("html").get_attribute("lang") == "en"
    playground.get_by_role("button", name="Start over").click()
    assert playground.locator(".said").count() == 0


@pytest.mark.parametrize(("query", "lang"), [("", "ja"), ("?lang=en", "en"), ("?lang=ja", "ja")])
def test_the_language_is_the_browsers_or_the_one_asked_for(page, server, query, lang):
    page.goto(f"{server.url}/{query}")
    assert page.locator("html").get_attribute("lang") == lang


@pytest.mark.parametrize("width", [320, 1440])
def test_nothing_is_wider_than_the_screen(playground, width):
    playground.set_viewport_size({"width": width, "height": 700})
    say(playground, "最近、猫を飼い始めたんだ")
    playground.locator(".why > summary").click()
    playground.locator(".why section").wait_for()
    assert playground.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_of_another_origin_gets_neither_the_token_nor_an_answer(page, server, site):
    page.goto(site + "/open")
    ask = """async url => {
      const read = fetch(url, {headers: {Accept: "text/html"}});
      const tries = [read, fetch(url + "/playground/turn", {method: "POST", body: "{}"})];
      return (await Promise.allSettled(tries)).map(one => one.status === "fulfilled" ? one.value.status : "refused");
    }"""
    assert page.evaluate(ask, server.url) == ["refused", 403]


def opened_widget(page, site):
    page.goto(site)
    page.get_by_role("button", name="チャットを開く").click()
    return page.get_by_role("textbox", name="メッセージ")


def test_the_widget_talks_on_a_site_with_a_strict_policy(page, site):
    field = opened_widget(page, site)
    log = page.get_by_role("log")
    for number, text in enumerate(("こんばんは", "今日は疲れた", "おすすめは？", "ありがとう", "おやすみ"), 1):
        field.fill(text)
        field.press("Enter")
        log.locator("p").nth(2 * number - 1).wait_for()
    assert log.locator("p").count() == 10
    assert log.locator(".lost").count() == 0
    assert page.complaints == []


def test_the_widget_sends_nothing_while_converting_and_closes_by_escape(page, site):
    field = opened_widget(page, site)
    field.fill("こんば")
    field.evaluate(COMPOSED)
    assert page.get_by_role("log").locator("p").count() == 0
    field.press("Escape")
    assert page.get_by_role("dialog").count() == 0


def test_the_widget_tries_again_as_the_same_turn(page, site):
    keys = []

    def lose(route):
        keys.append(route.request.post_data_json["turn_key"])
        # Its answer is lost on the way, once the server has taken the turn.
        if len(keys) < 2:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    field = opened_widget(page, site)
    page.route("**/chat", lose)
    field.fill("こんばんは")
    field.press("Enter")
    page.get_by_role("log").locator("p").nth(1).wait_for()
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert page.get_by_role("log").locator(".lost").count() == 0


def test_an_answer_that_breaks_off_is_shown_once(page, site):
    field = opened_widget(page, site)
    tries = []

    def break_off(route):
        tries.append(route.request.post_data_json["turn_key"])
        if len(tries) == 1:
            sent = route.fetch()
            begun = sent.text().partition("event: done")[0]
            assert "event: sentence" in begun
            route.fulfill(response=sent, body=begun)
        else:
            route.continue_()

    page.route("**/chat", break_off)
    field.fill("こんばんは")
    field.press("Enter")
    page.get_by_role("status").filter(has_text=re.compile("^$")).wait_for(state="attached")
    assert len(tries) == 2
    assert len(set(tries)) == 1
    said = page.get_by_role("log").locator("p:not(.mine)")
    assert said.count() == 1
    words = said.inner_text().removeprefix("美砂樹: ")
    assert words.count(words[:6]) == 1


def test_the_widget_offers_to_try_again_where_nothing_helps(page, site):
    field = opened_widget(page, site)
    page.route("**/chat", lambda route: route.abort())
    field.fill("こんばんは")
    field.press("Enter")
    again = page.get_by_role("button", name="もう一度送る")
    again.wait_for()
    page.unroute("**/chat")
    again.click()
    page.get_by_role("log").locator("p:not(.mine)").wait_for()
    assert page.get_by_role("log").locator(".lost").count() == 0


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A new bot, served from its own folder: its address with what lets the page write, the folder, and the server."""
    folder = tmp_path_factory.mktemp("desk")
    made = run("engine", "init", "bot", "--lang", "ja", "--persona", "こはる", cwd=folder)
    assert made.returncode == 0, made.stderr
    env = {"PYTHONPATH": python_path(ROOT), "XDG_DATA_HOME": str(folder / "data"), "SESSION_STORE": "memory"}
    with served(cwd=folder / "bot", env=env) as running:
        yield running.wait_for(r"open (http://\S+/#\w+) in a browser"), folder / "bot", running


@pytest.fixture
def editing(page, desk):
    """The page as the terminal's address opens it: what lets it write is no longer in the address bar."""
    page.goto(desk[0])
    assert "#" not in page.url
    yield page
    assert page.complaints == []


def test_two_clicks_save_the_conversation_as_a_golden_that_passes(editing, desk):
    say(editing, "こんばんは")
    editing.locator(".why").wait_for()
    say(editing, "お名前は？")
    editing.locator(".why").nth(1).wait_for()
    editing.get_by_role("button", name="ゴールデンに保存").last.click()
    editing.get_by_role("button", name="ファイルに書く").click()
    editing.get_by_text("書きました").wait_for()
    saved = list(desk[1].rglob("saved_*.golden.yml"))
    assert len(saved) == 1
    assert "お名前は？" in saved[0].read_text(encoding="utf-8")
    played = run("engine", "test", str(saved[0]), cwd=desk[1])
    assert played.returncode == 0, played.stdout


def test_a_sentence_becomes_a_trigger_and_the_next_answer_knows_it(editing, desk):
    say(editing, "うぃーす、参上")
    why = editing.locator(".why")
    why.locator("summary").first.click()
    why.get_by_label("台詞", exact=True).fill("hello")
    why.get_by_role("button", name="調べる").click()
    why.get_by_role("button", name="反例").last.click()
    why.locator("pre .more").first.wait_for()
    why.get_by_role("button", name="トリガー").last.click()
    why.get_by_role("button", name="ファイルに書く").click()
    editing.locator("#news:not(.bad)").wait_for()
    say(editing, "うぃーす、参上")
    editing.locator(".why").nth(1).get_by_text("hello").wait_for()
    assert any("うぃーす、参上" in file.read_text(encoding="utf-8") for file in (desk[1] / "replies").glob("*.yml"))


def test_a_mistake_that_is_saved_shows_in_the_page_with_its_line(editing, desk):
    file = next((desk[1] / "replies").glob("*.yml"))
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole + "  - id： mistake\n", encoding="utf-8")
    editing.locator("#news.bad .place").first.wait_for()
    assert re.search(rf"{file.name}:{len(whole.splitlines()) + 1}", editing.locator("#news").inner_text())
    file.write_text(whole, encoding="utf-8")
    editing.locator("#news:not(.bad)").wait_for()


def test_going_back_to_a_turn_continues_from_there(editing):
    say(editing, "こんばんは")
    editing.locator(".why").wait_for()
    say(editing, "お名前は？")
    editing.locator(".why").nth(1).wait_for()
    editing.get_by_role("button", name="ここからやり直す").first.click()
    editing.get_by_text("ここから続けます").wait_for()
    assert editing.locator(".turn").count() == 1
    say(editing, "お名前は？")
    editing.locator(".why").nth(1).wait_for()


def test_without_the_terminals_address_the_page_shows_a_change_and_writes_nothing(page, desk):
    before = {file: file.read_bytes() for file in desk[1].rglob("*.yml")}
    page.goto(desk[2].url)
    say(page, "こんばんは")
    page.get_by_role("button", name="ゴールデンに保存").click()
    page.get_by_text("ターミナルに表示されたアドレス").wait_for()
    assert page.get_by_role("button", name="ファイルに書く").count() == 0
    assert {file: file.read_bytes() for file in desk[1].rglob("*.yml")} == before


@pytest.fixture(scope="module")
def report(desk):
    """The page that `misaki test --html` writes, with a conversation that fails."""
    folder = desk[1]
    golden = next(folder.rglob("*.golden.yml"))
    golden = golden.rename(golden.with_name("report.golden.yml"))
    text = golden.read_text(encoding="utf-8")
    golden.write_text(text + "  - {name: 違う, turns: [{user: こんばんは, expect: さようなら。}]}\n", encoding="utf-8")
    run("engine", "test", "--html", "report.html", cwd=folder)
    golden.write_text(text, encoding="utf-8")
    return folder / "report.html"


@pytest.mark.parametrize("screen", [(320, "light"), (320, "dark"), (1440, "light"), (1440, "dark")])
def test_what_is_shown_can_be_read_by_everybody(browser, server, site, report, screen):
    """axe finds nothing in the playground with its explanations and a change, in the open widget, and in a report."""
    width, scheme = screen
    page = browser.new_page(locale="ja-JP", viewport={"width": width, "height": 800}, color_scheme=scheme)
    try:
        page.goto(server.url)
        say(page, "最近、猫を飼い始めたんだ")
        page.locator(".why > summary").click()
        page.locator(".why section").wait_for()
        page.locator(".why details > summary").first.click()
        page.get_by_role("button", name="ゴールデンに保存").click()
        page.locator("pre").wait_for()
        assert violations(page) == []
        opened_widget(page, site)
        assert violations(page) == []
        page.goto(report.as_uri())
        assert violations(page) == []
    finally:
        page.close()


def violations(page):
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]


def test_where_callers_show_who_they_are_there_is_no_playground(page):
    with served(env={"CLIENT_TOKEN": "open-sesame"}) as guarded:
        answered = page.goto(guarded.url)
        assert answered.headers["content-type"].startswith("text/plain")
