"""What a pull request is told, and how it gets there: the comment's text, and its way through GitHub's API."""

import html
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upbench.bench.errors import UsageError
from upbench.bench.gate.ci import post
from upbench.bench.gate.ci.comment import comment
from upbench.bench.gate.ci.escaping import code, harmless

records = runpy.run_path(str(Path(__file__).with_name("records.py")))
cell, comparison, CHANGED = records["cell"], records["comparison"], records["CHANGED"]
GitHub = runpy.run_path(str(Path(__file__).with_name("api.py")))["GitHub"]

EVIL = "<img src=x onerror=alert(1)> [click](https://evil.example) @everyone ![x](y) `a` | #1 **b** </details>\n# c"


def test_the_verdict_is_in_the_first_line_and_what_changed_before_the_rest():
    text = comment([comparison(cell("SAME"), cell("SLOWER", 1.1), cell("FASTER", 0.9), cell("UNRESOLVED"))])
    first, _, rest = text.partition("\n")
    assert first == "### ❌ <code>torch 2.13.0 -&#62; 2.15.0</code>: of 4 cells: 1 slower, 1 faster, 1 not resolved"
    shown, folded = rest.split("<details><summary>The other 2 cells</summary>")
    assert "| <code>bicubic/x2/slower</code> | **SLOWER** | +10.0% | +9.0% to +11.0% | same |" in shown
    assert shown.index("SLOWER") < shown.index("FASTER") < shown.index("**Next:**")
    assert "upbench bisect --cell bicubic/x2/slower/cpu" in html.unescape(shown)
    assert "bicubic/x2/same" in folded
    assert "Measured on <code>a quiet one, 4 cores, 1 thread</code> with <code>torch 2.15.0</code>." in folded
    assert "one of 4.5% in every cell" in folded


def test_an_open_cell_comes_with_the_command_that_settles_it():
    command = "upbench duet --baseline 2.13.0 --candidate 2.15.0 --methods bicubic --budget 90s"
    text = comment([comparison(cell("UNRESOLVED", 1.02, next={"command": command, "pairs": 20, "more": 8}))])
    assert f"more time tells: <code>{command}</code>" in html.unescape(text)


def test_a_slowdown_between_two_commits_is_not_bisected_by_releases():
    sides = {"baseline": {"label": "HEAD^1 (abc)"}, "candidate": {"label": "HEAD (def)"}}
    text = html.unescape(comment([comparison(cell("SLOWER", 1.1), **sides)]))
    assert "bisect" not in text
    assert "profile <code>bicubic/x2/slower</code> at <code>HEAD^1 (abc)</code>" in text


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        ([cell("SAME")], "✅"),
        ([cell("FASTER", 0.9), cell("SAME")], "✅"),
        ([cell("SAME", pixels=CHANGED)], "⚠️"),
        ([cell("FAILED", None, reason="it broke"), cell("SAME")], "⚠️"),
        ([cell("SKIPPED", None)], "⚠️"),
        ([cell("SLOWER", 1.1), cell("FAILED", None)], "❌"),
    ],
)
def test_red_is_for_confirmed_slowdowns_only(cells, mark):
    assert comment([comparison(*cells)]).startswith(f"### {mark}")


def test_of_several_comparisons_the_worst_stands_first():
    text = comment([comparison(cell("SAME")), comparison(cell("SLOWER", 1.2))])
    assert text.startswith("### ❌")
    assert text.count("### ") == 3


def test_a_comparison_of_nothing_is_said_to_be_one():
    assert comment([]) == comment([comparison()]) == "### ⚠️ Nothing was compared: no cell was asked for\n"


def test_a_comment_never_outgrows_what_github_takes():
    many = [cell("SLOWER", 1.1, cell=f"{'m' * 300}{number}/x2/image", reason="&" * 900) for number in range(900)]
    calm = [cell("SAME", cell=f"calm{number}/x2/image") for number in range(900)]
    text = comment([comparison(*many, *calm)])
    assert len(text) <= 65_000
    assert "cells more, which <code>versions.json</code> has" in text
    assert text.count("| **SLOWER** |") > 10
    assert "calm" in text


def test_names_and_reasons_are_shown_as_they_are_and_do_nothing():
    text = comment([comparison(cell("FAILED", None, cell=f"{EVIL}/x2/image", reason=EVIL), cell("SAME"))])
    prose = re.sub(r"<code>[^<]*</code>", "", text)
    for mischief in ("<img", "](", "@everyone", "https://", "`a`", "</details>\n#", "# c"):
        assert mischief not in prose
    assert all(not re.search(r"[\[\]<>@|*`#](?!\d)", span) for span in re.findall(r"<code>([^<]*)</code>", text))
    assert "onerror=alert(1)" in html.unescape(text)
    assert len([line for line in text.splitlines() if line.startswith("| <code>")]) == 2


def test_our_own_comments_pass_the_posting_job_unchanged():
    cells = [cell("SLOWER", 1.1), cell("SAME", pixels=CHANGED), cell("FAILED", None, cell=EVIL, reason=EVIL)]
    hosts = [{"host": EVIL, "verdict": "SAME", "ratio": 1.0}]
    joined = comparison(cell("UNRESOLVED", hosts=hosts, reason="hosts disagree"), hosts=["one", EVIL])
    text = comment([comparison(*cells), joined, comparison(cell("SAME"), planted={"bicubic": 1.1})])
    assert harmless(text) == text


@given(st.text(alphabet=st.sampled_from("<>code/&;#[]()!@`a1\n\\:. wdetails") | st.characters(), max_size=80))
def test_no_text_of_a_stranger_becomes_a_link_a_mention_or_html(text):
    shown = harmless(text)
    prose = re.sub(r"<code>[^<]*</code>", "", shown)
    assert not re.search(r"[\[\]`]", prose)
    assert "://" not in prose
    assert not re.search(r"@\w|#\d", prose)
    assert set(re.findall(r"<[^>]*>?", prose)) <= {"<details>", "</details>", "<summary>", "</summary>", "<br>"}
    for span in re.findall(r"<code>([^<]*)</code>", shown):
        assert not re.search(r"[\[\]<>@`*]", span)
    assert harmless(code(text)) == code(text)


@pytest.fixture
def github():
    with GitHub() as server:
        yield server


RUN = {
    "head_repository": {"owner": {"login": "stranger"}},
    "head_branch": "patch & more",
    "head_sha": "f" * 40,
    "html_url": "https://github.com/owner/name/actions/runs/1",
}


@pytest.fixture
def variables(github, tmp_path):
    """Sets the variables of Actions; `event` is the event's document."""

    def make(event: dict) -> dict[str, str]:
        path = tmp_path / "event.json"
        path.write_text(json.dumps(event))
        return {
            "GITHUB_TOKEN": "a-token",
            "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_API_URL": github.address,
        }

    return make


def written(tmp_path: Path, *cells) -> Path:
    path = tmp_path / "comment.md"
    path.write_text(comment([comparison(*cells)]), encoding="utf-8")
    return path


def changes(github) -> list[str]:
    return [f"{method} {path}" for method, path, _ in github.calls if method != "GET"]


def test_a_comment_is_created_once_and_then_changed(github, variables, tmp_path):
    found = variables({"workflow_run": RUN})
    assert post.post(written(tmp_path, cell("SLOWER", 1.1)), found) == "The comment of pull request 7 is created."
    assert post.post(written(tmp_path, cell("SAME")), found) == "The comment of pull request 7 is updated."
    assert changes(github) == [
        "POST /repos/owner/name/issues/7/comments",
        "PATCH /repos/owner/name/issues/comments/40",
    ]
    assert github.calls[0] == (
        "GET",
        "/repos/owner/name/pulls",
        "state=open&head=stranger%3Apatch%20%26%20more&per_page=100",
    )
    (only,) = github.comments
    assert only["body"].startswith("<!-- upbench gate -->\n### ✅")
    assert "[the run](https://github.com/owner/name/actions/runs/1) of ffffffffff." in only["body"]


def test_a_persons_comment_with_the_same_mark_is_left_alone(github, variables, tmp_path):
    github.comments.append({"id": 3, "user": {"type": "User"}, "body": f"{post.MARKER} mine"})
    post.post(written(tmp_path, cell("SAME")), variables({"pull_request": {"number": 7}}))
    assert changes(github) == ["POST /repos/owner/name/issues/7/comments"]
    assert github.comments[0]["body"].endswith("mine")


def test_a_pull_request_that_has_moved_on_or_is_closed_gets_nothing(github, variables, tmp_path):
    github.pulls = [{"number": 7, "head": {"sha": "0" * 40}}]
    found = variables({"workflow_run": RUN})
    assert "No open pull request" in post.post(written(tmp_path, cell("SAME")), found)
    assert "No open pull request" in post.post(written(tmp_path, cell("SAME")), variables({"workflow_run": {}}))
    assert changes(github) == []


def test_the_file_decides_nothing_but_words(github, variables, tmp_path):
    path = tmp_path / "comment.md"
    path.write_text(f"pull request 1\n{post.MARKER}\n{EVIL}")
    post.post(path, variables({"workflow_run": RUN}))
    (only,) = github.comments
    assert changes(github) == ["POST /repos/owner/name/issues/7/comments"]
    assert "&lt;img" in only["body"]
    assert "&lt;!-- upbench gate --" in only["body"]
    assert "](https://evil" not in only["body"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a" * 70_000, "more than 65,536 characters"),
        (b"[" * 20_000, "more than 65,536 characters"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (None, "did the measuring job upload it?"),
    ],
)
def test_a_file_that_upbench_cannot_have_written_is_refused(github, variables, tmp_path, content, sentence):
    path = tmp_path / "comment.md"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(sentence)):
        post.post(path, variables({"workflow_run": RUN}))
    assert changes(github) == []


def test_what_github_refuses_is_said(github, variables, tmp_path):
    github.refuse = True
    with pytest.raises(UsageError, match=r"GitHub answers 403 to GET .*Resource not accessible"):
        post.post(written(tmp_path, cell("SAME")), variables({"pull_request": {"number": 7}}))
    with pytest.raises(UsageError, match="GITHUB_TOKEN is not set"):
        post.post(written(tmp_path, cell("SAME")), {})


def test_posting_needs_no_library_at_all(github, variables, tmp_path, environment):
    """The job that posts installs upbench alone, without torch, numpy or scipy."""
    found = environment | variables({"pull_request": {"number": 7}})
    block = "import sys\nfor name in ('torch', 'numpy', 'scipy', 'pandas'): sys.modules[name] = None\n"
    start = f"{block}sys.argv = ['post', {str(written(tmp_path, cell('SAME')))!r}]\n"
    script = f"{start}import runpy\nrunpy.run_module('upbench.bench.gate.ci.post', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], env=found, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "The comment of pull request 7 is created.\n", "")


def test_the_command_writes_the_comment_beside_the_comparisons(upbench, tmp_path):
    (tmp_path / "versions.json").write_text(json.dumps({"comparisons": [comparison(cell("SLOWER", 1.1))]}))
    assert upbench("comment", tmp_path).code == 0
    assert (tmp_path / "comment.md").read_text().startswith("### ❌")
    assert upbench("comment", tmp_path / "nowhere").code == 2
