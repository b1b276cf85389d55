"""The parts of an article as one Markdown text.

Always true: sections stand in the order of the plan, each under the heading of its outline; a number in a section is
one of those that it was given.
"""

from __future__ import annotations

from collections.abc import Sequence

from alto_lg.apps.storm import parsing
from alto_lg.apps.storm.citing import numbers_of, restricted
from alto_lg.apps.storm.state import Planned, Reference, Section


def composed(lead: str, sections: Sequence[Section], plan: Sequence[Planned]) -> str:
    """The lead and the sections below each other, with the numbers of the snippets."""
    known = {planned["place"]: numbers_of(planned["evidence"]) for planned in plan}
    parts = [parsing.prose(lead)]
    for section in sorted(sections, key=lambda section: section["place"]):
        body = restricted(parsing.body(section["text"], section["heading"]), known[section["place"]])
        parts.append(f"## {section['heading']}\n\n{body}".strip())
    return "\n\n".join(part for part in parts if part)


def assembled(topic: str, body: str, references: Sequence[Reference]) -> str:
    """The article under its title, with its references at the end."""
    listed = "\n".join(f"{one['number']}. {one['title']} ({one['id']})" for one in references)
    parts = [f"# {topic}", body, f"## References\n\n{listed}" if listed else ""]
    return "\n\n".join(part for part in parts if part)
