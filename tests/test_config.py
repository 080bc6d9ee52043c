"""Settings: which file counts, what wins, and what is said about a wrong one."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from vmfdlint.config import ConfigError, Options, load, resolve_rules, setting_lines, settings_text
from vmfdlint.config.keys import EXTEND, KEYS

KNOWN = [
    ("VMFD101", "fork-while-vm-live"),
    ("VMFD102", "mapping-kept-in-child"),
    ("VMFD201", "vm-fd-duplicated"),
    ("VMFD301", "kvm-opened-without-cloexec"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults(here: Path) -> None:
    assert load(["."], {}) == Options(paths=(".",))


def test_the_nearest_file_counts(here: Path) -> None:
    (here / "sub" / "deep").mkdir(parents=True)
    (here / "vmfdlint.toml").write_text('select = ["VMFD1"]\njobs = 3\n')
    (here / "sub" / "pyproject.toml").write_text('[tool.other]\nx = 1\n[tool.vmfdlint]\nselect = ["VMFD2"]\n')
    assert load(["."], {}).select == ("VMFD1",)
    assert load(["sub/deep/gone.c"], {}).select == ("VMFD2",)
    assert load(["sub", "."], {}).jobs == 3
    (here / "sub" / ".vmfdlint.toml").write_text("")
    assert load(["sub/deep"], {}).config_file == f"{here}/sub/.vmfdlint.toml"


def test_a_pyproject_without_the_table_is_passed_over(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "pyproject.toml").write_text("[tool.other]\n")
    (here / "pyproject.toml").write_text("[tool.vmfdlint]\njobs = 2\n")
    assert load(["sub"], {}).jobs == 2


def test_the_command_line_wins(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "vmfdlint.toml").write_text(
        'ignore = ["VMFD1"]\nexclude = ["/x"]\nmodels = ["m.toml"]\n'
        'output-format = "json"\nrespect-gitignore = false\n'
    )
    options = load(["sub"], {"output_format": None})
    assert options.exclude_base == f"{here}/sub" and options.models == (f"{here}/sub/m.toml",)
    assert options.output_format == ("json",) and options.respect_gitignore is False
    given: dict[str, Any] = {"ignore": ("VMFD2",), "exclude": ("/y",), "models": ("n.toml",)}
    options = load(["sub"], given | {"output_format": "full"})
    assert (options.ignore, options.exclude, options.models) == (("VMFD2",), ("/y",), ("n.toml",))
    assert options.output_format == ("full",) and options.exclude_base == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('\nselct = ["ALL"]', "vmfdlint.toml:2: unknown key 'selct': did you mean 'select'?"),
        ("output_format = 'full'", "did you mean 'output-format'?"),
        ("zzzzzzz = 1", "known are baseline, cache-dir, exclude, extend, "),
        ("jobs = 1\nselect = 'ALL'", "vmfdlint.toml:2: select must be a list of strings, not 'ALL'"),
        ("jobs = -1", "jobs must be a whole number, 0 or more, not -1"),
        ("jobs = true", "jobs must be"),
        ("force-exclude = 1", "force-exclude must be true or false"),
        ("output-format = 1", "output-format must be a string or a list of strings"),
        ("select = [1]", "select must be a list of strings"),
        ("[rules]\nx = 1", "vmfdlint.toml:1: unknown key 'rules'"),
        ("jobs = 1\njobs 2", "vmfdlint.toml:2: is not valid TOML"),
        ("\udcff", "is not UTF-8"),
    ],
)
def test_a_wrong_file_is_an_error_with_its_line(here: Path, text: str, words: str) -> None:
    (here / "vmfdlint.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        load(["."], {})
    assert words in str(caught.value) and str(here) in str(caught.value)


def test_the_line_of_a_key_in_pyproject(here: Path) -> None:
    (here / "pyproject.toml").write_text("[tool.other]\njob = 1\n[tool.vmfdlint]\njob = 1\n")
    with pytest.raises(ConfigError, match=r"pyproject.toml:4: unknown key 'job': did you mean 'jobs'"):
        load(["."], {})


def test_every_key_is_an_option() -> None:
    fields = {field.name for field in msgspec.structs.fields(Options)}
    assert {key.replace("-", "_") for key in KEYS if key != EXTEND} <= fields


@pytest.mark.parametrize(
    ("select", "ignore", "on"),
    [
        (["ALL"], [], "101 102 201 301"),
        (["VMFD1"], [], "101 102"),
        (["vmfd101", "vm-fd-duplicated"], [], "101 201"),
        (["ALL"], ["VMFD1"], "201 301"),
        (["ALL", "VMFD101"], ["VMFD1"], "101 201 301"),
        (["VMFD1"], ["VMFD101"], "102"),
        (["VMFD101"], ["fork-while-vm-live"], ""),
        (["VMFD"], ["all"], "101 102 201 301"),
    ],
)
def test_selectors(select: list[str], ignore: list[str], on: str) -> None:
    assert resolve_rules(select, ignore, KNOWN) == {f"VMFD{number}" for number in on.split()}


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("VMFD1O1", "unknown rule 'VMFD1O1' in --select: did you mean VMFD101?"),
        ("fork-while-vm-alive", "did you mean fork-while-vm-live?"),
        ("V", "`vmfdlint rule --all` lists them"),
        ("E501", "unknown rule 'E501'"),
    ],
)
def test_an_unknown_selector_names_the_nearest(selector: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_rules([selector], [], KNOWN)
    assert words in str(caught.value)
    with pytest.raises(ConfigError, match="--ignore"):
        resolve_rules(["ALL"], [selector], KNOWN)


def test_extend(here: Path) -> None:
    (here / "sub").mkdir()
    (here / "base.toml").write_text(
        'select = ["VMFD1"]\nextend-select = ["VMFD3"]\nexclude = ["/x"]\nmodels = ["m.toml"]\njobs = 3\n'
    )
    own = here / "sub" / "vmfdlint.toml"
    own.write_text('extend = "../base.toml"\nextend-select = ["VMFD2"]\njobs = 4\n')
    options = load(["sub"], {"extend_select": ("VMFD5",)})
    assert (options.select, options.jobs, options.config_file) == (("VMFD1",), 4, str(own))
    assert options.extend_select == ("VMFD3", "VMFD2", "VMFD5")
    assert options.models == (f"{here}/m.toml",) and options.exclude_base == str(here)
    (here / "base.toml").write_text('extend = "sub/vmfdlint.toml"\n')
    with pytest.raises(ConfigError, match="extend leads back to"):
        load(["sub"], {})
    own.write_text('extend = "gone.toml"\n')
    with pytest.raises(ConfigError, match=r"vmfdlint.toml:1: extend names .*gone.toml, which is no file"):
        load(["sub"], {})


def test_another_file_or_none(here: Path) -> None:
    (here / "vmfdlint.toml").write_text("jobs = 3\n")
    (here / "ci.toml").write_text("jobs = 5\n")
    assert load(["."], {"config_file": "ci.toml"}).jobs == 5
    assert load(["."], {"isolated": True}) == Options(paths=(".",))


def test_settings_can_be_read_back(here: Path) -> None:
    (here / "vmfdlint.toml").write_text(
        'select = ["VMFD1"]\njobs = 3\nforce-exclude = true\n[per-file-ignores]\n"tests/" = ["ALL"]\n'
    )
    options = load(["."], {})
    (here / "again.toml").write_text(settings_text(options))
    again = load(["."], {"config_file": "again.toml"})
    assert msgspec.structs.replace(again, config_file=options.config_file, exclude_base="") == options


def test_setting_lines() -> None:
    assert len(setting_lines()) == len(KEYS)
    assert setting_lines("fail-level") == ['fail-level = "note"  # "error", "warning" or "note"']
    assert setting_lines("nothing") == []


def test_an_optional_rule_is_not_meant_by_all() -> None:
    def on(*select: str) -> bool:
        return "VMFD301" in resolve_rules(select, (), KNOWN, optional={"VMFD301"})

    assert not on("ALL") and on("VMFD3") and on("ALL", "kvm-opened-without-cloexec")
