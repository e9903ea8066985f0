"""A small project in a folder: one pipeline with each step kind, and room for golden files."""

from __future__ import annotations

from pathlib import Path

PIPELINE = """\
version: 1
name: bar
locale: ja
timezone: Asia/Tokyo
deadline: 7.5s
persona: {name: 美砂樹, labels: {user: 客, reply: 美砂樹}}
replies: [../replies/*.yml]
memory:
  name: {label: 呼び名, max: 10}
  bottle: {label: ボトル, forget_after: 90d}
models:
  small: {backend: auto, path: "${LOCAL_LLM_MODEL:}", temperature: 0}
  large: {backend: openai, model: "${OPENAI_MODEL:some-model}"}
steps:
  - {id: canned, kind: replies, threshold: 80}
  - id: talk
    kind: generate
    model: small
    when: env.USE_LOCAL_LLM
    prompt: prompts/bar.j2
    timeout: 4s
    escalate_when: [truncated, {low_confidence: 0.25}, {if: "output.tokens < 3", reason: too short}]
  - {id: ask, kind: generate, models: [large], prompt: prompts/bar.j2}
  - {id: sorry, kind: say, reply: out_of_words, when: env.LOCAL_LLM_ALLOW_FALLBACK}
"""
REPLIES = """\
replies:
  - id: greet_evening
    when: now.hour >= 17
    match: [こんばんは]
    say:
      - いらっしゃい。今夜も来てくれて嬉しいわ。
      - {text: "{{ persona.name }}よ。待ってたわ。", weight: 2}
    examples: [こんばんわ]
    counterexamples: [こんにちは]
  - id: greet_day
    when: now.hour < 17
    match: [こんばんは, こんにちは]
    say: [こんにちは。まだ仕込み中なの。]
  - id: call_me
    match: [{regex: "(?P<name>.{1,10})って呼んで"}]
    remember: {name: "{{ captured.name }}"}
    say: ["{{ memory.name }}さんね。"]
  - id: keep_bottle
    match: [ボトルを入れて]
    remember: {bottle: 麦焼酎}
    say: [お預かりするわ。]
  - id: forget_me
    match: [全部忘れて]
    forget: [name, bottle]
    say: [何もかも忘れたわ。]
  - id: back
    match: [覚えてる]
    say:
      - "{{ memory.name }}さん、{{ visitor.visits }}度目。ボトルは{{ memory.bottle or '空っぽ' }}。"
  - id: away
    when: visitor.days_away >= 14 and visitor.signed_in
    match: [ただいま]
    say: ["{{ visitor.name }}さん、{{ visitor.days_away | int }}日ぶり。"]
  - id: out_of_words
    say: [ごめんなさいね、言葉が見つからないわ。]
"""
GOLDEN = """\
version: 1
pipeline: ../pipelines/bar.yml
clock: "2026-11-20 19:30"

conversations:
  - name: 夕方の挨拶   # 常連さん
    session: seat-3
    turns:
      - user: こんばんは
        expect: いらっしゃい。今夜も来てくれて嬉しいわ。
      - user: 星の話をして
        models:
          large: {says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}
        expect:
          reply: 星は、遠い昔の光なのよ。
          engine: external
          model: large
          escalations: []
"""


def project(folder: Path, golden: str = GOLDEN, *, pipeline: str = PIPELINE, replies: str = REPLIES) -> Path:
    """Writes the project into `folder` and returns the golden file."""
    for name, text in (
        ("pipelines/bar.yml", pipeline),
        ("pipelines/prompts/bar.j2", "あなたは{{ persona.name }}。\n"),
        ("replies/bar.yml", replies),
        ("golden/bar.golden.yml", golden),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "golden" / "bar.golden.yml"
