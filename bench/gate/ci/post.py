"""Put a comparison's comment under its pull request: created once, from then on the same comment is changed.

    python -m upbench.bench.gate.ci.post comment.md

For the second of two workflows. The first ran strangers' code with a token that could only read, so its file is
no one's word: its size is bounded, its markdown made harmless (`escaping`), and which pull request it belongs to is
asked of GitHub and never of the file. Uses the standard library alone: the job needs neither torch nor numpy.
Variables, as Actions sets them: GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_EVENT_PATH, GITHUB_API_URL.
Source: GitHub REST API 2022-11-28, "Issue comments" and "Pull requests".
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.gate.ci.escaping import harmless

MARKER = "<!-- upbench gate -->"
LIMIT = 65_536  # characters that GitHub takes in a comment
PAGE, PAGES = 100, 30
TIMEOUT_SECONDS = 30

Record = dict[str, Any]


class Repository:
    """One repository behind GitHub's REST API."""

    def __init__(self, name: str, api: str, token: str) -> None:
        """`name` is OWNER/NAME, `api` the base address."""
        self.base, self.token = f"{api.rstrip('/')}/repos/{name}", token

    def ask(self, method: str, path: str, body: Record | None = None) -> Any:
        """One call; raises `UsageError` with GitHub's message where it is refused."""
        request = urllib.request.Request(
            self.base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            reason = error.read(500).decode(errors="replace")
            raise UsageError(f"GitHub answers {error.code} to {method} {path}: {reason}") from error
        except (OSError, ValueError) as error:
            raise UsageError(f"GitHub cannot be asked for {method} {path}: {error}") from error

    def all(self, path: str) -> Iterator[Record]:
        """Every element of a list, page by page."""
        for page in range(1, PAGES + 1):
            found = self.ask("GET", f"{path}?per_page={PAGE}&page={page}")
            yield from found
            if len(found) < PAGE:
                return

    def pull_request(self, event: Record) -> int | None:
        """The open pull request that an event belongs to, or None where there is none or it has moved on."""
        if "pull_request" in event:
            return int(event["pull_request"]["number"])
        run = event.get("workflow_run") or {}
        if not run.get("head_repository"):
            return None
        head = urllib.parse.quote(f"{run['head_repository']['owner']['login']}:{run['head_branch']}", safe="")
        for found in self.ask("GET", f"/pulls?state=open&head={head}&per_page={PAGE}"):
            if found["head"]["sha"] == run["head_sha"]:
                return int(found["number"])
        return None

    def say(self, number: int, body: str) -> str:
        """Create the comment, or change the one that a robot left before; returns what was done."""
        for old in self.all(f"/issues/{number}/comments"):
            if old["user"]["type"] == "Bot" and old["body"].startswith(MARKER):
                self.ask("PATCH", f"/issues/comments/{old['id']}", {"body": body})
                return "updated"
        self.ask("POST", f"/issues/{number}/comments", {"body": body})
        return "created"


def body(path: Path, event: Record) -> str:
    """What is posted of a file; raises `UsageError` for one that upbench cannot have written."""
    try:
        with path.open("rb") as file:
            text = file.read(4 * LIMIT + 1).decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; did the measuring job upload it?") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8; upbench did not write it.") from error
    found = f"{MARKER}\n{harmless(text)}{_source(event)}"
    if len(found) > LIMIT:
        raise UsageError(f"{path} makes more than {LIMIT:,} characters, which GitHub does not take; nothing is posted.")
    return found


def _source(event: Record) -> str:
    run = event.get("workflow_run")
    return f"\n<sub>Written by [the run]({run['html_url']}) of {run['head_sha'][:10]}.</sub>\n" if run else ""


def post(path: Path, variables: Mapping[str, str] = os.environ) -> str:
    """Post a file as Actions' variables say; returns one sentence about it."""
    missing = [name for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH") if not variables.get(name)]
    if missing:
        raise UsageError(f"{missing[0]} is not set; post from a GitHub workflow.")
    event = json.loads(Path(variables["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    api = variables.get("GITHUB_API_URL", "https://api.github.com")
    repository = Repository(variables["GITHUB_REPOSITORY"], api, variables["GITHUB_TOKEN"])
    number = repository.pull_request(event)
    if number is None:
        return "No open pull request has this commit as its head: nothing is posted."
    return f"The comment of pull request {number} is {repository.say(number, body(path, event))}."


def main() -> int:
    """Post the file named on the command line."""
    if len(sys.argv) != 2:
        print("upbench: give one file: python -m upbench.bench.gate.ci.post comment.md", file=sys.stderr)
        return 2
    try:
        print(post(Path(sys.argv[1])))
    except UsageError as error:
        print(f"upbench: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
