// Shows a persona on any page: <script src=".../widget.js" data-endpoint="https://HOST" data-title="..." data-lang="ja"></script>
// It needs no other file and works under a strict Content-Security-Policy: script-src and connect-src name HOST.
(() => {
  "use strict";
  const script = document.currentScript;
  const own = script ? script.dataset : {};
  const endpoint = (own.endpoint || (script ? new URL(script.src).origin : "")).replace(/\/+$/, "").replace(/\/chat$/, "");
  const lang = (own.lang || document.documentElement.lang || navigator.language || "en").toLowerCase().startsWith("ja") ? "ja" : "en";
  const WORDS = {
    en: {title: "Chat", open: "Open the chat", close: "Close", message: "Your message", send: "Send", waits: "Writing an answer",
      lost: "The answer did not arrive.", again: "Try again", you: "You", log: "Conversation"},
    ja: {title: "チャット", open: "チャットを開く", close: "閉じる", message: "メッセージ", send: "送信", waits: "返事を書いています",
      lost: "返事が届きませんでした。", again: "もう一度送る", you: "あなた", log: "会話"},
  }[lang];
  const title = own.title || WORDS.title;
  const TRIES = 3, PATIENCE = 60000, AGAIN = [500, 1500];

  const STYLE = `
:host { all: initial; --ground: #fff; --ink: #26211c; --faint: #665d54; --line: #ddd5cb; --accent: #8c2f4b; --on-accent: #fff; --mine: #f1e4e8; --bad: #a8281e; }
@media (prefers-color-scheme: dark) {
  :host { --ground: #231f1c; --ink: #f0e9e1; --faint: #b3a79b; --line: #50473f; --accent: #f0a3b8; --on-accent: #2a0f18; --mine: #43282f; --bad: #ff9c8f; }
}
* { box-sizing: border-box; font: 16px/1.6 system-ui, "Hiragino Sans", "Noto Sans JP", "Yu Gothic UI", sans-serif; color: inherit; }
button { cursor: pointer; border: 1px solid var(--accent); border-radius: 10px; padding: 6px 14px; min-height: 44px; background: var(--ground); }
button.main { background: var(--accent); color: var(--on-accent); font-weight: 600; }
button[disabled] { opacity: .6; cursor: default; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.open { position: fixed; right: 16px; bottom: 16px; border-radius: 28px; padding: 10px 22px; z-index: 2147483000; box-shadow: 0 2px 12px #0004; }
.panel { position: fixed; right: 16px; bottom: 16px; width: min(384px, calc(100vw - 32px)); height: min(560px, calc(100dvh - 32px)); display: flex; flex-direction: column;
  background: var(--ground); color: var(--ink); border: 1px solid var(--line); border-radius: 16px; overflow: hidden; z-index: 2147483000; box-shadow: 0 4px 24px #0005; }
[hidden] { display: none !important; }
.head { display: flex; align-items: center; gap: 8px; padding: 8px 8px 8px 16px; border-bottom: 1px solid var(--line); }
.head h2 { margin: 0 auto 0 0; font-weight: 600; overflow-wrap: anywhere; }
.log { flex: 1; overflow-y: auto; padding: 12px 16px; display: flex; flex-direction: column; gap: 8px; }
.log p { margin: 0; padding: 7px 12px; border-radius: 14px; border: 1px solid var(--line); max-width: 88%; white-space: pre-wrap; overflow-wrap: anywhere; align-self: start; }
.log p.mine { background: var(--mine); border-color: transparent; align-self: end; }
.log p.lost { border-color: var(--bad); color: var(--bad); }
.status { margin: 0; padding: 0 16px; min-height: 26px; color: var(--faint); font-size: 14px; }
form { display: flex; gap: 8px; padding: 8px 12px 12px; align-items: end; }
textarea { flex: 1; min-width: 0; min-height: 44px; max-height: 140px; resize: none; border: 1px solid var(--faint); border-radius: 10px; padding: 8px 10px; background: var(--ground); }
::placeholder { color: var(--faint); opacity: 1; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 480px) { .panel { right: 0; bottom: 0; width: 100vw; height: 100dvh; border: 0; border-radius: 0; } }
@media (prefers-reduced-motion: no-preference) { .log { scroll-behavior: smooth; } }
`;

  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), one => one.toString(16).padStart(2, "0")).join("");
  const pause = time => new Promise(done => setTimeout(done, time));
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // A tab is a conversation of its own; where storage is off, a page is.
  const room = (() => {
    const name = `misaki-room:${endpoint}`;
    try {
      const kept = sessionStorage.getItem(name) || newId();
      sessionStorage.setItem(name, kept);
      return kept;
    } catch { return newId(); }
  })();

  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "";;) {
      const {value, done} = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const found = /^event: (.*)\ndata: (.*)$/m.exec(part);
        if (found) yield [found[1], JSON.parse(found[2])];
      }
    }
  }

  // The answer, by as many tries as it takes; `show` gets what of it has come so far.
  async function ask(words, key, show) {
    let problem = null;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      if (attempt) await pause(AGAIN[attempt - 1]);
      try {
        return await attemptOnce(words, key, show);
      } catch (error) {
        if (error.final) throw error;
        problem = error;
      }
    }
    throw problem;
  }
  async function attemptOnce(words, key, show) {
    const response = await fetch(`${endpoint}/chat`, {
      method: "POST", credentials: "omit", signal: AbortSignal.timeout(PATIENCE), headers: {"Content-Type": "application/json"},
      body: JSON.stringify({message: words, session_id: room, turn_key: key, stream: true}),
    });
    if (!(response.headers.get("Content-Type") || "").includes("text/event-stream")) return reply(await response.json());
    let told = "";
    for await (const [name, data] of events(response)) {
      if (name === "sentence") show((told += data.text));
      if (name === "done" || name === "error") return reply(data);
    }
    throw new Error("the connection was lost in the middle of the answer");
  }
  function reply(body) {
    if (typeof body.reply === "string") return body.reply;
    // The first try of this turn still runs, or the server is too busy: the same is sent again in a moment.
    const final = body.code !== "turn_in_progress" && body.code !== "busy";
    throw Object.assign(new Error(body.error || body.message || "no answer"), {final});
  }

  function start() {
    const host = make("div", {lang});
    const shadow = host.attachShadow({mode: "open"});
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];

    const open = make("button", {class: "open main", type: "button", "aria-expanded": "false", "aria-label": `${title}: ${WORDS.open}`}, title);
    const close = make("button", {type: "button", "aria-label": WORDS.close}, "✕");
    const log = make("div", {class: "log", role: "log", "aria-live": "polite", "aria-label": WORDS.log, tabindex: "0"});
    const status = make("p", {class: "status", role: "status"});
    const text = make("textarea", {rows: "1", maxlength: "4000", "aria-label": WORDS.message, placeholder: WORDS.message, enterkeyhint: "send"});
    const send = make("button", {class: "main"}, WORDS.send);
    const form = make("form", {}, text, send);
    const panel = make("section", {class: "panel", role: "dialog", "aria-label": title, hidden: ""}, make("div", {class: "head"}, make("h2", {}, title), close), log, status, form);
    shadow.append(open, panel);
    document.body.append(host);

    let busy = false;
    const show = on => {
      panel.hidden = !on;
      open.hidden = on;
      open.setAttribute("aria-expanded", String(on));
      (on ? text : open).focus();
    };
    const add = (words, kind, who) => {
      const line = make("p", kind ? {class: kind} : {}, make("span", {class: "unseen"}, `${who}: `), words);
      log.append(line);
      log.scrollTop = log.scrollHeight;
      return line;
    };
    const take = async (words, key) => {
      busy = true;
      send.disabled = true;
      status.textContent = WORDS.waits;
      let line = null, told = "";
      const show = text => {
        line ??= add("", "", title);
        // A second try says again what came before the connection was lost.
        if (told.startsWith(text) && text !== told) return;
        if (text.startsWith(told)) line.append(text.slice(told.length));
        else line.replaceChildren(line.firstChild, text);
        told = text;
        log.scrollTop = log.scrollHeight;
      };
      try {
        show(await ask(words, key, show));
      } catch {
        if (line) line.remove();
        const again = make("button", {type: "button"}, WORDS.again);
        const lost = add(`${WORDS.lost} `, "lost", title);
        lost.append(again);
        again.addEventListener("click", () => {
          if (busy) return;
          lost.remove();
          text.focus();
          take(words, key);
        });
        log.scrollTop = log.scrollHeight;
      } finally {
        busy = false;
        send.disabled = false;
        status.textContent = "";
      }
    };

    open.addEventListener("click", () => show(true));
    close.addEventListener("click", () => show(false));
    panel.addEventListener("keydown", event => { if (event.key === "Escape" && !event.isComposing) show(false); });
    text.addEventListener("keydown", event => {
      // While an input method converts, Enter takes over its proposal; Safari tells so by the code alone.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      form.requestSubmit();
    });
    form.addEventListener("submit", event => {
      event.preventDefault();
      const words = text.value.trim();
      if (!words || busy) return;
      text.value = "";
      add(words, "mine", WORDS.you);
      take(words, newId());
    });
  }

  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
