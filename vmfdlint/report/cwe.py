"""Names of the weaknesses the rules refer to (CWE 4.20, MITRE)."""

from collections.abc import Mapping

VERSION = "4.20"

NAMES: Mapping[int, str] = {
    402: "Transmission of Private Resources into a New Sphere ('Resource Leak')",
    403: "Exposure of File Descriptor to Unintended Control Sphere ('File Descriptor Leak')",
    404: "Improper Resource Shutdown or Release",
    459: "Incomplete Cleanup",
    666: "Operation on Resource in Wrong Phase of Lifetime",
    732: "Incorrect Permission Assignment for Critical Resource",
    772: "Missing Release of Resource after Effective Lifetime",
    775: "Missing Release of File Descriptor or Handle after Effective Lifetime",
    910: "Use of Expired File Descriptor",
    911: "Improper Update of Reference Count",
    1059: "Insufficient Technical Documentation",
    1116: "Inaccurate Comments",
    1341: "Multiple Releases of Same Resource or Handle",
}


def cwe_name(number: int) -> str:
    """The weakness's name; ``Weakness 99`` for one not listed here."""
    return NAMES.get(number, f"Weakness {number}")


def cwe_page(number: int) -> str:
    """Its page at MITRE."""
    return f"https://cwe.mitre.org/data/definitions/{number}.html"
