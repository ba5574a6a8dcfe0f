"""What an API server says of its audit events, as 1.34 writes its metrics."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.counters import read_audit_counters

TEXT = """\
# HELP apiserver_audit_error_total [ALPHA] Counter of audit events that failed to be audited properly.
# TYPE apiserver_audit_error_total counter
apiserver_audit_error_total{plugin="buffered"} 7
apiserver_audit_error_total{plugin="webhook"} 1.2e+02
# TYPE apiserver_audit_event_total counter
apiserver_audit_event_total 40265
apiserver_audit_level_total{level="Metadata"} 40000
apiserver_audit_requests_rejected_total 3
process_start_time_seconds 1.79578412043e+09
"""


def test_counters_are_read() -> None:
    assert read_audit_counters(TEXT) == {
        "events": 40265,
        "errors": {"buffered": 7, "webhook": 120},
        "rejected": 3,
        "started": "1.79578412043e+09",
    }


def test_without_audit_nothing_is_counted() -> None:
    assert read_audit_counters("up 1\n") == {"events": 0, "errors": {}, "rejected": 0, "started": ""}


def test_what_is_no_number_is_not_counted() -> None:
    text = 'apiserver_audit_event_total NaN\napiserver_audit_error_total{plugin="log"} +Inf\n'
    assert read_audit_counters(text + "apiserver_audit_requests_rejected_total many\n") == {
        "events": 0,
        "errors": {},
        "rejected": 0,
        "started": "",
    }
