"""The one way in which data can fail. Imports nothing."""

LONGEST = 200  # characters of others' words in a sentence of ours


class DataError(ValueError):
    """The data cannot be used; the message is one plain sentence that says what to do."""


def said(error: BaseException) -> str:
    """What another library's exception says, as a part of such a sentence: one line, of bounded length."""
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
