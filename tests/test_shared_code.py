"""Code that several programs of one tree share: one finding, with the programs it holds for."""

from literate import FIXTURES, read
from test_fixtures import found_in

TITLE = "A helper shared by two programs of one tree"


def test_one_finding_names_both_programs() -> None:
    programs = read(FIXTURES / "VMFD101-fork-while-vm-live.md")
    (program,) = (one for one in programs if one.title == TITLE)
    (finding,) = found_in(program)
    assert (finding.rule, finding.at.path) == ("VMFD101", "common/helper.c")
    assert finding.programs == ("probe/main.c", "run/main.c")
