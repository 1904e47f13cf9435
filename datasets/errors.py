"""The one way in which data can fail. Imports nothing."""


class DataError(ValueError):
    """The data cannot be used; the message is one plain sentence that says what to do."""
