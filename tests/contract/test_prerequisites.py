"""Doctor, installer and lab look for the same programs: each list stands in one file."""

from __future__ import annotations

from lab import prerequisites
from lab.toolchain.catalogue import catalogue
from stacks.cli import doctor


def test_doctor_looks_for_the_debian_programs_that_the_lab_asks_for() -> None:
    asked = prerequisites.packages(prerequisites.FILE.read_text())
    assert prerequisites.FILE == doctor.PACKAGES
    assert doctor.debian_programs() == list(asked.values())
    assert "systemd-nspawn" in doctor.debian_programs()


def test_doctor_looks_for_the_programs_that_the_toolchain_links() -> None:
    linked = {name for name, program in catalogue().programs.items() if program.is_linked}
    assert set(doctor.built_programs()) == {*linked, doctor.LANGUAGE_HOST}


def test_the_installer_reads_the_first_word_of_a_line() -> None:
    assert prerequisites.packages("a-package  a-program  # why\nalone  # why\n# a remark\n") == {
        "a-package": "a-program"
    }
