"""/metrics: the state of the installation as Prometheus figures, read when they are asked for, without names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from syncline import __version__
from syncline.desk import reports
from syncline.desk.mailboxes import state_of
from syncline.desk.reading import OPERATOR

if TYPE_CHECKING:
    from syncline.wiring import App


def metrics(app: App) -> tuple[bytes, str]:
    """Return the figures and their media type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(app))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Figures(Collector):
    def __init__(self, app: App) -> None:
        self._app = app

    def collect(self) -> Iterable[Metric]:
        """Read the state once and yield every figure."""
        version = GaugeMetricFamily("syncline_info", "Version of Syncline.", labels=["version"])
        version.add_metric([__version__], 1)
        yield version
        yield self._mailboxes()
        figures = reports.statistics(self._app, OPERATOR)
        for name, text, value in (
            ("syncline_alerts_open", "Alerts that stand open.", figures.open_alerts),
            ("syncline_questions_open", "Questions that wait for an answer.", figures.questions),
            ("syncline_failures", "Items that are not synchronized.", figures.failures),
            ("syncline_lag_seconds", "How long the longest waiting mailbox is due.", figures.lag_s),
        ):
            yield GaugeMetricFamily(name, text, value)

    def _mailboxes(self) -> Metric:
        family = GaugeMetricFamily("syncline_mailboxes", "Mailboxes by state.", labels=["state"])
        for state, count in sorted(Counter(map(state_of, self._app.store.mailboxes())).items()):
            family.add_metric([state], count)
        return family
