"""How grave the rules of the analysers are, and the way out of what they find."""

from collections.abc import Mapping
from typing import NamedTuple

from diono.inspection.models import FindingKind, Severity

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW


class Rule(NamedTuple):
    severity: Severity
    kind: FindingKind
    way_out: str = ""


# By tool and rule. What is missing is medium for bugbear, low otherwise; bandit grades its own.
_RULES: Mapping[str, Rule] = {
    "ruff:syntax": Rule(HIGH, "lint", "Correct the syntax: the file cannot be loaded."),
    "ruff:F821": Rule(HIGH, "lint", "Define or import the name before it is used."),
    "ruff:F822": Rule(HIGH, "lint", "Define the name that __all__ lists, or take it out."),
    "ruff:F823": Rule(HIGH, "lint", "Give the local name a value before it is read."),
    "ruff:F811": Rule(MEDIUM, "lint", "Keep one of the two definitions."),
    "ruff:F632": Rule(MEDIUM, "lint", "Compare values with == and !=."),
    "ruff:F401": Rule(LOW, "lint", "Take the import out."),
    "ruff:F841": Rule(LOW, "lint", "Use the variable or take it out."),
    "ruff:C901": Rule(LOW, "lint", "Take parts of the function out into functions of their own."),
    "ruff:E722": Rule(MEDIUM, "lint", "Name the exceptions that are expected."),
    "ruff:B006": Rule(MEDIUM, "lint", "Use None as the default and make the value inside."),
    "ruff:B904": Rule(LOW, "lint", "Raise with `from error`, so that the cause stays visible."),
    "ruff:B008": Rule(LOW, "lint", "Call the function inside, unless the framework wants it so."),
    "ruff:B905": Rule(LOW, "lint", "Say with strict= what unequal lengths mean."),
    "bandit:B102": Rule(HIGH, "security", "Do not run text as code; write out what it may do."),
    "bandit:B307": Rule(HIGH, "security", "Use ast.literal_eval, or parse what is expected."),
    "bandit:B602": Rule(HIGH, "security", "Pass a list of arguments, without shell=True."),
    "bandit:B605": Rule(HIGH, "security", "Use subprocess with a list of arguments."),
    "bandit:B608": Rule(MEDIUM, "security", "Pass values as parameters of the statement."),
    "bandit:B301": Rule(MEDIUM, "security", "Read JSON instead: pickles run code."),
    "bandit:B506": Rule(MEDIUM, "security", "Use yaml.safe_load."),
    "bandit:B324": Rule(HIGH, "security", "Use hashlib.sha256, or usedforsecurity=False."),
    "bandit:B501": Rule(HIGH, "security", "Leave the check of certificates on."),
    "bandit:B104": Rule(MEDIUM, "security", "Listen on 127.0.0.1 unless others must reach it."),
    "bandit:B311": Rule(LOW, "security", "For keys and tokens use the secrets module."),
    "bandit:B101": Rule(LOW, "security", "Raise an error instead: asserts can be switched off."),
    "bandit:B404": Rule(LOW, "security", "Fine with a list of arguments that no user chooses."),
    "bandit:B603": Rule(LOW, "security", "Fine with a list of arguments that no user chooses."),
    "eslint:syntax": Rule(HIGH, "lint", "Correct the syntax: the script does not load."),
    "eslint:no-undef": Rule(HIGH, "lint", "Define or import the name before it is used."),
    "eslint:no-const-assign": Rule(HIGH, "lint", "Declare the name with let."),
    "eslint:no-dupe-args": Rule(HIGH, "lint", "Give each parameter a name of its own."),
    "eslint:no-eval": Rule(HIGH, "security", "Parse what is expected instead of running text."),
    "eslint:no-implied-eval": Rule(HIGH, "security", "Pass a function instead of text."),
    "eslint:no-new-func": Rule(HIGH, "security", "Write the function out instead of its text."),
    "eslint:no-script-url": Rule(MEDIUM, "security", "Use a listener instead of javascript:."),
    "eslint:no-restricted-syntax": Rule(MEDIUM, "security", "Set textContent, or make elements."),
    "eslint:no-unused-vars": Rule(LOW, "lint", "Use the variable or take it out."),
    "eslint:complexity": Rule(
        LOW, "lint", "Take parts of the function out into functions of their own."
    ),
    "eslint:no-empty": Rule(LOW, "lint", "Say in a comment why nothing is to be done."),
}
_OF_TOOL: Mapping[str, Rule] = {
    "ruff": Rule(LOW, "lint"),
    "eslint": Rule(MEDIUM, "lint"),
}
_BANDIT: Mapping[str, Severity] = {"HIGH": HIGH, "MEDIUM": MEDIUM, "LOW": LOW}
_LOWER: Mapping[Severity, Severity] = {HIGH: MEDIUM, MEDIUM: LOW, LOW: LOW}

# What a test may do: it asserts, calls programs and local addresses, knows made-up passwords, and
# writes its own statements.
FINE_IN_TESTS = frozenset(
    {
        *("bandit:B101", "bandit:B105", "bandit:B106", "bandit:B107", "bandit:B404", "bandit:B603"),
        *("bandit:B310", "bandit:B608"),
    }
)
# A finding of these in a file that the team wrote is worth another try; more only if it is high.
COMPLEXITY_RULES = frozenset({"ruff:C901", "eslint:complexity"})


def rule_of(tool: str, rule: str, severity: str = "", confidence: str = "") -> Rule:
    """Return how grave a finding is. ``severity`` and ``confidence`` are bandit's own words."""
    name = f"{tool}:{rule}"
    known = _RULES.get(name)
    if known is not None:
        return known
    if tool == "bandit":
        grade = _BANDIT.get(severity, LOW)
        return Rule(_LOWER[grade] if confidence == "LOW" else grade, "security")
    if tool == "ruff" and rule.startswith("PLE"):
        return Rule(HIGH, "lint")
    if tool == "ruff" and rule.startswith(("B", "F")):
        return Rule(MEDIUM, "lint")
    return _OF_TOOL.get(tool, Rule(LOW, "lint"))
