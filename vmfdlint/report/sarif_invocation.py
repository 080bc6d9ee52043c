"""How a run went, as a SARIF invocation: success, place and time, notifications of what was not done."""

from collections.abc import Sequence

from vmfdlint.base import Problem, ProblemKind
from vmfdlint.finding import Outcome
from vmfdlint.report.context import Context
from vmfdlint.report.sarif_files import Files, Json
from vmfdlint.report.sarif_results import Results, plain
from vmfdlint.report.words import FATAL, count


def invocation(outcome: Outcome, results: Results, context: Context) -> Json:
    """The invocation of a run. Times and the command line are in it where the Context has them."""
    made: Json = {
        "executionSuccessful": not any(problem.kind in FATAL for problem in outcome.problems),
        "exitCode": context.exit_code,
    }
    if context.root:
        made["workingDirectory"] = results.files.root()
    about = {
        "commandLine": context.command,
        "startTimeUtc": context.started,
        "endTimeUtc": context.ended,
    }
    made |= {name: text for name, text in about.items() if text}
    settings = [one for one in outcome.problems if one.kind is ProblemKind.CONFIG]
    others = [one for one in outcome.problems if one.kind is not ProblemKind.CONFIG]
    told = [_notification(problem, results.files) for problem in others]
    told += [_notice(text) for text in (*outcome.notices, *_limits(results))]
    if outcome.left_out:
        left = ", ".join(f"{one.count:,} {one.why}" for one in outcome.left_out)
        told.append(_notice(f"Findings that are not reported: {left}."))
    made |= {"toolExecutionNotifications": told} if told else {}
    wrong = [_notification(problem, results.files) for problem in settings]
    return made | ({"toolConfigurationNotifications": wrong} if wrong else {})


def _limits(results: Results) -> Sequence[str]:
    """What the log does not hold because it would be too large."""
    lines = []
    if results.dropped:
        lines.append(f"{count(results.dropped, 'finding')} of the least grave are not in this log.")
    if results.short:
        lines.append(
            f"{count(results.short, 'result')} of the least grave are without code flow and snippets."
        )
    return lines


def _notice(text: str) -> Json:
    return {"descriptor": {"id": "vmfdlint/notice"}, "level": "note", "message": {"text": plain(text)}}


def _notification(problem: Problem, files: Files) -> Json:
    made: Json = {
        "descriptor": {"id": f"vmfdlint/{problem.kind}"},
        "level": "error" if problem.kind in FATAL else "note",
        "message": {"text": plain(problem.text)},
    }
    if problem.at is not None:
        made["locations"] = [{"physicalLocation": files.physical(problem.at)}]
    elif problem.path:
        made["locations"] = [{"physicalLocation": {"artifactLocation": files.location(problem.path)}}]
    return made
