"""Metrics of the judge (EDGE prometheus_client), of this process since its start."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

JUDGE_QUESTIONS = Counter(
    "caveat_judge_questions_total",
    "Questions about an article by result: answered, cached, or why there was no answer.",
    ["result"],
)
JUDGE_SECONDS = Histogram(
    "caveat_judge_seconds",
    "Seconds for all requests about one article.",
    buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 600),
)
