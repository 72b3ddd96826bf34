"""Numbers in sentences that people read: plurals, and a minus sign that is one."""


def counted(number: int, noun: str) -> str:
    """A number and its noun, such as "1 field" and "3 fields"."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural(noun)}"


def plural(noun: str) -> str:
    """The nouns of this project, more than one of them."""
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"


def signed(value: float, places: int) -> str:
    """A number with its sign, the minus as U+2212 (tables keep the hyphen that programs read)."""
    return minus(f"{value:+.{places}f}")


def minus(text: str) -> str:
    """The text of a number, its hyphens as minus signs."""
    return text.replace("-", "−")
