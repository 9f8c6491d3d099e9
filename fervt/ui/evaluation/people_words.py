"""Words for the chart of people's votes in errors, for those who cannot see it."""

from collections.abc import Sequence


def describe_people(counts: Sequence[int], titles: Sequence[str]) -> str:
    """Says how the errors divide by whom the annotators side with."""
    total = sum(counts)
    if not total:
        return "There are no errors to ask the annotators about."
    parts = [
        f"{title}, {count:,} ({count / total:.0%})"
        for title, count in zip(titles, counts, strict=True)
    ]
    return f"Whom the annotators side with in {total:,} errors: {'; '.join(parts)}."
