"""The three ways a cell or a command can end other than well."""


class UsageError(Exception):
    """The user asked for something that cannot be done; the message says what to do next (exit code 2)."""


class SkippedError(Exception):
    """A method declined this combination, or its library is absent; the message is the row's reason."""


class FailedError(Exception):
    """A method was asked and failed; the message is the row's reason (exit code 3)."""
