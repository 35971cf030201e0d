"""How an answer ends, what numbers it holds, and what a client would act on in it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ANSWER, event, healthy_entries, journey, survey
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.rules.markup import active_sign
from pytest_goldenpath.contract.rules.prose import is_cut_off, numbers_in
from pytest_goldenpath.contract.survey import Survey

CODE, SUM = "KESTREL-4821", "42"
SMILE = "\N{SMILING FACE WITH SMILING EYES}"


def answered(answer: str) -> Survey:
    """Build a survey whose journey got this answer."""
    return survey(journey=journey(healthy_entries(answer)))


WHOLE = {
    "code word": f"17 plus 25 is 42. Reserve instances. Reference code: {CODE}",
    "bold label": f"The sum is 42. **Reference:** {CODE}",
    "other hyphen": "The sum is 42. The reference code is KESTREL\u20114821",
    "signature": f"{CODE}: 42. Stop idle machines.\n\nBest regards,\nYour cost agent",
    "short signature": f"{CODE}: 42. Stop idle machines.\n\nMany thanks",
    "dash": f"{CODE}: 42. Stop idle machines.\n\n\u2014 Your cost agent",
    "letter": f"{CODE}: 42. Stop idle machines.\n\nYours,\nThe Agent",
    "letter elsewhere": f"{CODE}: 42. Schalten Sie sie ab.\n\nMit freundlichen Grüßen\nIhr Agent",
    "display formula": f"{CODE}. We get\n$$17+25=42$$",
    "formula": f"{CODE}: 42. Stop idle machines: $C' = 0.7C$",
    "amount": f"{CODE}: 42. Idle machines cost 40 $",
    "unit": f"{CODE}: 42. Shrink the disk to 30 GB",
    "smiley": f"{CODE}: 42. Stop idle machines {SMILE}",
    "composed smiley": f"{CODE}: 42. Stop them \N{WOMAN}\u200d\N{PERSONAL COMPUTER}",
    "skin": f"{CODE}: 42. Stop them \N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}",
    "heart": f"{CODE}: 42. Stop idle machines \u2764\ufe0f",
    "link": f"{CODE}: 42. See https://cost.example/idle?by=size",
    "mail": f"{CODE}: 42. Ask cost@example.com",
    "percent": f"{CODE}: 42. One way to lower cost: reserved instances save 30 %",
    "german quote": f"{CODE}: 42. Das heißt hier \u201eweniger zahlen\u201c",
    "guillemets": f"{CODE}: 42. Stop idle machines \u00bbnow\u00ab",
    "sources": f"{CODE}: 42. Stop idle machines [1]\n\nSources:\n[1] cost table 2025-09",
    "source": f"{CODE}: 42. Stop idle machines.\nSource: cost table 2025-09",
    "footnote": f"{CODE}: 42. Stop them.[^1]\n\n[^1]: Source: cost table of 2025-09",
    "ticks in prose": f"{CODE}: 42. In Markdown, code starts with ``` on its own line. Stop them.",
    "block": f"{CODE}: 42. Run it.\n\n```bash\naz vm deallocate\n```",
    "block in a block": f"{CODE}: 42. Run it.\n\n````md\n```bash\nls\n```\n````",
    "block in a list": f"{CODE}: 42. Run it.\n\n1. So:\n   ```bash\n   ls\n   ```\n2. Done",
}
CUT_OFF = {
    "sentence": f"{ANSWER} Another way would be to",
    "result": f"The code is {CODE}. Stop idle machines. And 17 plus 25 is 42",
    "word": ANSWER.removesuffix("er size."),
    "comma": f"{ANSWER} First,",
    "paragraph": f"{ANSWER}\n\nAnother way would be",
    "short paragraph": f"{ANSWER}\n\nAnother",
    "half a code word": "17 plus 25 is 42. Reserve instances. The reference code is KESTREL-48",
    "open block": f"{ANSWER}\n\n```bash\naz vm deallocate.",
    "block of tildes": f"{ANSWER}\n\n~~~\naz vm deallocate.",
    "open block in a list": f"{ANSWER}\n\n- So:\n  ```bash\n  ls.",
    "shorter end": f"{ANSWER}\n\n````md\nls.\n```",
    "dollar": f"{ANSWER} This saves you $",
    "two lines": f"{ANSWER}\n\nIf you stop the idle machines,\nthen the bill",
    "thanks within": f"{ANSWER} Another way, thanks to the new prices of reserved ones, is",
    "slash": f"{ANSWER} Use spot and/",
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_whole_answer_is_not_accused(answer: str) -> None:
    """An answer is complete also without a full stop, when it ends as texts may end."""
    assert judge("GP-504", answered(answer)).findings == ()


@pytest.mark.parametrize("answer", CUT_OFF.values(), ids=CUT_OFF)
def test_answer_that_breaks_off_is_found(answer: str) -> None:
    """An end within a word, a sentence or a block of code is none."""
    assert [f.code for f in judge("GP-504", answered(answer)).broken] == ["GP-504"]


PASSIVE = {
    "language": "In JavaScript: `volumes.filter(v => v.idle)` finds them.",
    "language, bare": "In JavaScript: volumes.filter(v => v.idle) finds them.",
    "languages": "Rules by language: JavaScript:5, Python:3.",
    "generic": "Use one client: `List<object> items = cache.Get();` and stop.",
    "block": "Use this:\n\n```csharp\nList<object> items;\n```\n\nDone.",
    "tildes": "~~~html\n<script src='a.js'></script>\n~~~",
    "in a list": "1. Use this:\n\n   ```html\n   <img src=x onerror=alert(1)>\n   ```\n",
    "double ticks": "Write ``<b onclick=`x`>`` to see it.",
    "address in code": "Never write `<a href='javascript:alert(1)'>`.",
    "less": "If a < b and b > c, `<object>` is text.",
}
ACTIVE = {
    "script": "<script>alert(1)</script>",
    "beside a span": "Use `ls`. <script>alert(1)</script> And `cat`.",
    "beside a block": "```\nls\n```\n<script>alert(1)</script>\n```\ncat\n```",
    "ticks of other length": "` a `` <script>alert(1)</script> ```",
    "escaped tick": r"\`<script>alert(1)</script>`",
    "paragraphs": "a ` b\n\n<script>alert(1)</script> `",
    "items": "- a ` b\n- <script>alert(1)</script> `",
    "cells": "| a ` | <script>alert(1)</script> ` |",
    "tick in a tag": '<b title="`" onclick="x()" lang="`">.</b>',
    "tick in a long tag": '<b title="\n`" onclick="x()" lang="`">.</b>',
    "block of HTML": "<div>`<script>alert(1)</script>`</div>",
    "fence in HTML": "<div>\n```\n<script>alert(1)</script>\n```\n</div>",
    "fence in preformatted": "<pre>\n\n```\n<script>alert(1)</script>\n```\n</pre>",
    "left of the list": "- a\n\n  ```\n<script>alert(1)</script>\n  ```",
    "fence in an item": "- ```\n<script>alert(1)</script>\n```",
    "open block": "```\n<script>alert(1)</script>",
    "link": "[here](javascript:alert(1))",
    "link with a blank": "[here]( javascript: alert(1))",
    "reference": "[here]: javascript:alert(1)",
    "autolink": "<javascript:alert(1)>",
    "attribute": "<a href=' javascript:alert(1)'>",
    "value": "javascript:alert(1)",
    "encoded": "javascript:%61lert(1)",
    "comment": "javascript://%0aalert(1)",
    "void": "open javascript:void 0",
    "control": "`\x1b[2J`",
}


def thinking(text: str) -> Survey:
    """Build a survey with this thought in the journey."""
    thought = event("agent_thinking", 0.07, agent_name="supervisor", thought=text)
    entries = healthy_entries()
    return survey(journey=replace(journey(), entries=(*entries[:6], thought, *entries[6:])))


@pytest.mark.parametrize("text", PASSIVE.values(), ids=PASSIVE)
def test_code_is_passive(text: str) -> None:
    """What is shown as code is text, and so is the name of a language."""
    assert judge("GP-506", thinking(text)).findings == ()


@pytest.mark.parametrize("text", ACTIVE.values(), ids=ACTIVE)
def test_active_content_is_found_beside_code(text: str) -> None:
    """What a client may act on is found, whatever code stands around it."""
    assert [f.code for f in judge("GP-506", thinking(text)).broken] == ["GP-506"]


@pytest.mark.parametrize(
    "answer",
    [
        "رمز المرجع KESTREL-4821، والمجموع ٤٢. أوقف الأجهزة غير المستخدمة.",
        "संदर्भ कोड KESTREL-4821 है। योग ४२ है। बेकार मशीनें बंद करें।",
        "参照コードはKESTREL-4821です。合計は\uff14\uff12です。未使用のVMを停止しましょう。",
        "رمز المرجع KESTREL-٤٨٢١، والمجموع ٤٢. أوقف الأجهزة غير المستخدمة.",
    ],
)
def test_digits_of_any_script_count(answer: str) -> None:
    """A result is the same in whatever digits its readers use."""
    for code in ("GP-501", "GP-502", "GP-503", "GP-504"):
        assert judge(code, answered(answer)).findings == ()


def test_wrong_result_in_other_digits_is_found() -> None:
    """Another number is another one in any script."""
    answer = "रमز KESTREL-4821 है। योग ४३ है। बेकार मशीनें बंद करें।"

    assert [f.code for f in judge("GP-503", answered(answer)).broken] == ["GP-503"]


@pytest.mark.parametrize(
    "written",
    [
        "1,234",
        "1.234",
        "1 234",
        "1'234",
        "1\u202f234",
        "1\u066c234",
        "\u0661\u066c\u0662\u0663\u0664",
        "1234",
    ],
)
def test_thousands_may_be_separated(written: str) -> None:
    """A number with separated thousands is that number."""
    assert "1234" in numbers_in(f"The sum is {written}.")


@pytest.mark.parametrize("written", ["187", "1,087", "4,2", "420", "1234,567"])
def test_part_of_a_number_is_none(written: str) -> None:
    """Neither a longer number nor separated digits make another result."""
    assert not {"87", "42", "1234567"} & numbers_in(f"The sum is {written}.")


@given(st.text(st.sampled_from("`~<>|\\ \n-a1$.\x00,"), max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    """Whatever a text is made of, it is judged; and what is no code stays in it."""
    is_cut_off(text, "a")
    sign = active_sign(f"{text}\n\n<script>")

    assert sign


@pytest.mark.parametrize("part", ["`", "`` ` ", "<b ", "- ", "1.", "a@", "|`", "```\n", "$", "1,"])
def test_flood_is_judged_in_time(part: str) -> None:
    """A long text takes about as much longer as it is longer."""

    def taken(times: int) -> float:
        text = f"{part * times}<script>"
        began = time.perf_counter()
        active_sign(text), is_cut_off(text, CODE), numbers_in(text)
        return time.perf_counter() - began

    assert taken(40_000) < 80 * taken(2_000) + 0.2
