"""Reading a prompt: its arithmetic, its marker word, what it is about."""

import re
from dataclasses import dataclass

# Also the signs that typographers prefer: U+2212 minus, U+00D7 times, U+00B7 dot.
_SIGNS = {"+": "+", "plus": "+", "-": "-", "\N{MINUS SIGN}": "-", "minus": "-", "*": "*"}
_SIGNS |= {"\N{MULTIPLICATION SIGN}": "*", "\N{MIDDLE DOT}": "*"}
_SIGNS |= {"x": "*", "times": "*", "multiplied by": "*"}
_NUMBER = r"\d{1,15}"
_OPERATOR = r"\s*[+*\u00d7\u00b7]\s*|\s+(?:-|\u2212|x|plus|minus|times|multiplied\s+by)\s+"
_CHAIN = re.compile(rf"(?<![\w.-]){_NUMBER}(?:(?:{_OPERATOR}){_NUMBER})+(?![\w])", re.IGNORECASE)
_PHRASES = (
    (re.compile(rf"\bsum of ({_NUMBER}) and ({_NUMBER})\b", re.IGNORECASE), "+"),
    (re.compile(rf"\badd ({_NUMBER}) (?:and|to) ({_NUMBER})\b", re.IGNORECASE), "+"),
    (re.compile(rf"\bproduct of ({_NUMBER}) and ({_NUMBER})\b", re.IGNORECASE), "*"),
    (re.compile(rf"\bmultiply ({_NUMBER}) (?:and|by|with) ({_NUMBER})\b", re.IGNORECASE), "*"),
    (re.compile(rf"\bdifference (?:of|between) ({_NUMBER}) and ({_NUMBER})\b", re.IGNORECASE), "-"),
)
_SUBTRACT = re.compile(rf"\bsubtract ({_NUMBER}) from ({_NUMBER})\b", re.IGNORECASE)
_WORDS = {"+": "plus", "-": "minus", "*": "times"}

# Behind a strong label any word is meant, behind a weak one only what looks like a code.
_STRONG = r"code ?word|keyword|marker(?: word)?|the word"
_WEAK = r"reference(?: code| word)?|code|token|tag|label|ticket|phrase|id"
_BEHIND = r"\s*(?:is\s+|:\s*|=\s*)?[\"'`«“]?([A-Za-z0-9][\w-]{2,60})"
_AFTER_STRONG = re.compile(rf"\b(?:{_STRONG}){_BEHIND}", re.IGNORECASE)
_AFTER_WEAK = re.compile(rf"\b(?:{_WEAK}){_BEHIND}", re.IGNORECASE)
_CAPITALS = re.compile(r"\b(?:[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)+|[A-Z]{3,}\d{2,})\b")
_ORDINARY = {"and", "the", "with", "for", "that", "this", "review", "back", "data", "your", "you"}
_MAX_MARKERS = 5


@dataclass(frozen=True, slots=True)
class Sum:
    """Some arithmetic of a prompt: in words, as numbers and signs, and its result."""

    words: str
    numbers: tuple[int, ...]
    result: int


def sums(prompt: str) -> list[Sum]:
    """Return the arithmetic that the prompt asks for."""
    found = [_chain(match.group()) for match in _CHAIN.finditer(prompt)]
    for pattern, sign in _PHRASES:
        found += [
            _sum([int(match[1]), int(match[2])], [sign]) for match in pattern.finditer(prompt)
        ]
    found += [_sum([int(m[2]), int(m[1])], ["-"]) for m in _SUBTRACT.finditer(prompt)]
    return found


def markers(prompt: str) -> list[str]:
    """Return the words that the prompt wants to see again."""
    strong = [word for word in _AFTER_STRONG.findall(prompt) if word.lower() not in _ORDINARY]
    weak = [word for word in _AFTER_WEAK.findall(prompt) if re.search(r"\d|[A-Z]{3}", word)]
    found = [*_CAPITALS.findall(prompt), *strong, *weak]
    return list(dict.fromkeys(word.rstrip("-") for word in found))[:_MAX_MARKERS]


def topic(prompt: str, length: int = 60) -> str:
    """Return the beginning of the prompt, as plain words that no browser would run."""
    plain = re.sub(r"[^\w\s.,:+*?-]", " ", prompt)
    words = " ".join(plain.split())
    if len(words) > length:
        words = words[:length].rpartition(" ")[0]
    return words or "an empty request"


def _chain(text: str) -> Sum:
    numbers = [int(number) for number in re.findall(_NUMBER, text)]
    signs = re.split(_NUMBER, text)[1:-1]
    return _sum(numbers, [_SIGNS[" ".join(sign.lower().split())] for sign in signs])


def _sum(numbers: list[int], signs: list[str]) -> Sum:
    words = str(numbers[0])
    terms = [numbers[0]]  # products first, then the sum of what is left
    for sign, number in zip(signs, numbers[1:], strict=True):
        words += f" {_WORDS[sign]} {number}"
        if sign == "*":
            terms[-1] *= number
        else:
            terms.append(number if sign == "+" else -number)
    return Sum(words, tuple(numbers), sum(terms))
