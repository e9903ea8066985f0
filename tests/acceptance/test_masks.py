"""Ten thousand turns full of personal data against a provider on loopback: none reaches it, all comes back exactly."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from random import Random

from engine.chat.step_runner import run_steps
from engine.core.deadline import Deadline
from engine.core.record import replace
from engine.core.turn import Exchange, Message
from engine.guardrails.masks import MASKS
from engine.guardrails.my_number import is_individual
from engine.guardrails.numbers import passes_luhn
from engine.models.registry import open_model
from tests.fakes.plans import generate_step, plan, services, template, turn
from tests.faults import behaviours, wires
from tests.faults.peer import Connection, Peer

TURNS = 10_000
AT_ONCE = 4
WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")
FILLERS = (
    *(
        "ねえ、",
        "今日は2名で",
        "つまみは800円、",
        "注文番号は0312345678。",
        "3-2で勝った。",
        "19:30に",
        "[電話1]って何？",
        "【メール２】",
    ),
    *(
        "2026-11-30に、",
        "ボトル5,000円ね。",
        "\n",
        "「",
        "」",
        "…",
        "🍺",
        "彼の ",
        "My ",
        " please",
        "、",
        "。",
        "[",
        "]",
        "{{ text }}",
    ),
)


def digits(chance: Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def phone(chance: Random) -> str:
    mobile = f"0{chance.choice('789')}0"
    forms = (
        lambda: f"{mobile}-{digits(chance, 4)}-{digits(chance, 4)}",
        lambda: f"{mobile}{digits(chance, 8)}",
        lambda: f"03-{chance.randrange(3000, 7000)}-{digits(chance, 4)}",
        lambda: f"(0{chance.choice('346')}){chance.randrange(3000, 7000)}-{digits(chance, 4)}",
        lambda: f"0120-{digits(chance, 3)}-{digits(chance, 3)}",
        lambda: f"+81-{mobile[1:]}-{digits(chance, 4)}-{digits(chance, 4)}",
    )
    return chance.choice(forms)()


def email(chance: Random) -> str:
    name, host = chance.choice(["taro", "h.suzuki", "neko_22"]), chance.choice(["example.com", "a.example.co.jp"])
    return f"{name}{digits(chance, 5)}@{host}"


def postal_code(chance: Random) -> str:
    return f"〒{digits(chance, 3)}-{digits(chance, 4)}"


def card(chance: Random) -> str:
    body = f"4{digits(chance, 14)}"
    number = next(body + last for last in "0123456789" if passes_luhn(body + last))
    return " ".join(number[at : at + 4] for at in range(0, 16, 4)) if chance.random() < 0.5 else number


def my_number(chance: Random) -> str:
    body = f"{chance.randrange(123_456_789_01, 987_654_321_01)}"
    found = next((body + last for last in "0123456789" if is_individual(body + last)), None)
    return found or my_number(chance)


KINDS = (phone, email, postal_code, card, my_number)


def text(chance: Random, used: list[str]) -> str:
    """Values between fillers that leave them what they are."""
    pieces = []
    for _ in range(chance.randrange(1, 4)):
        value = chance.choice(KINDS)(chance)
        value = chance.choice(used) if used and chance.random() < 0.3 else value
        value = value.translate(WIDE) if chance.random() < 0.2 and "@" not in value else value
        used.append(value)
        pieces += [chance.choice(FILLERS), "、", value, "です"]
    return "".join((*pieces, chance.choice(FILLERS))).strip()


def echo(connection: Connection) -> None:
    """Answers with everything it was asked."""
    request = connection.read_request()
    said = "\n".join(message["content"] for message in json.loads(request.body)["messages"])
    body = wires.answer("openai", said)
    connection.send(behaviours.head(200, {"Content-Type": "application/json"}, len(body)) + body)


def test_no_raw_value_reaches_a_provider_and_every_placeholder_is_restored():
    with Peer([echo]) as peer:
        model = open_model(wires.row("openai", peer.url, examples=1), wires.ENVIRONMENT)
        the_plan = replace(plan(generate_step("talk", "m")), mask=tuple(MASKS))

        def take(number: int) -> tuple[list[str], str, str | None]:
            chance, used = Random(number), []
            system, user, reply, before, after, said = (text(chance, used) for _ in range(6))
            step = replace(the_plan.steps[0], prompt=template("{{ persona.system }}"))
            persona = replace(the_plan.persona, data={"system": system}, examples=(Exchange(user, reply),))
            masking = replace(the_plan, steps=(step,), persona=persona)
            history = (Message("user", before), Message("assistant", after))
            outcome = run_steps(masking, turn(said, history=history), services(m=model), Deadline.after(60.0))
            return used, f"{system}\n{user}\n{reply}\n{before}\n{after}\n{said}", outcome.reply

        for first in range(0, TURNS, 100):
            peer.play(echo)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                turns = list(pool.map(take, range(first, first + 100)))
            seen = [json.loads(one.body)["messages"] for one in peer.received]
            assert len(seen) == len(turns)
            sent = "\n".join(message["content"] for messages in seen for message in messages)
            for used, asked, reply in turns:
                assert reply == asked
                assert [value for value in used if value.lstrip("〒") in sent] == []
