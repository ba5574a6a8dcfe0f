"""What templates do with values: read, copied as a whole, skipped when empty."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.templates import read_templates


@pytest.mark.parametrize(
    ("template", "whole"),
    [
        ("{{ toYaml .Values.a.b | nindent 4 }}", {"a.b"}),
        ("{{- .Values.a | toYaml -}}", {"a"}),
        ("{{ with .Values.a }}{{ toYaml . | indent 8 }}{{ end }}", {"a"}),
        ("{{ with $.Values.a }}{{ with .b }}{{ . | toYaml }}{{ end }}{{ end }}", {"a.b"}),
        ("{{ with .Values.a }}{{ else }}{{ toYaml . }}{{ end }}", set()),
        ("{{ if .Values.a }}{{ toYaml .Values.a }}{{ else if .Values.b }}{{ toYaml .Values.b }}{{ end }}", {"a", "b"}),
        ("{{ with .Values.a }}{{ tpl (toYaml .) $ | nindent 4 }}{{ end }}", {"a"}),
        ("{{ $x := .Values.a }}{{ toYaml $x.b }}", {"a.b"}),
        ("{{ with $y := .Values.a }}{{ toYaml $y }}{{ end }}", {"a"}),
        ("{{ range .Values.a }}{{ toYaml . }}{{ end }}", set()),
        ('{{ omit .Values.a "enabled" | toYaml }}', {"a"}),
        ('{{ define "copy" }}{{ tpl (.value | toYaml) .context }}{{ end }}'
         '{{ include "copy" (dict "value" .Values.a.b "context" $) | nindent 8 }}', {"a.b"}),
        ('{{ define "copy" }}{{ toYaml . }}{{ end }}{{ with .Values.a }}{{ include "copy" .b }}{{ end }}', {"a.b"}),
        ('{{ define "copy" }}{{ toYaml .other }}{{ end }}{{ include "copy" (dict "value" .Values.a) }}', set()),
        ('{{ define "copy" }}{{ with .other }}{{ toYaml .value }}{{ end }}{{ end }}'
         '{{ include "copy" (dict "value" .Values.a "other" .Values.b) }}', set()),
        ('{{ define "own" }}{{ toYaml .Values.a }}{{ end }}', {"a"}),
        ("{{/* {{ toYaml .Values.a }} */}}", set()),
        ("{{ .Values.a }}", set()),
        ("{{ $list := list }}{{ toYaml $list }}", set()),
        ("{{ end }}{{ toYaml .Values.a }}", {"a"}),
    ],
)  # fmt: skip
def test_what_is_copied_as_a_whole(template: str, whole: set[str]) -> None:
    assert read_templates([template]).whole == whole


def test_a_helper_of_another_file_counts_in_either_order() -> None:
    use, helper = '{{ include "copy" (dict "value" .Values.a) }}', '{{ define "copy" }}{{ toYaml .value }}{{ end }}'
    assert read_templates([use, helper]).whole == read_templates([helper, use]).whole == {"a"}


def test_what_is_read_and_what_is_asked_for_first() -> None:
    reads = read_templates(
        [
            "{{ if and .Values.a.b (not .Values.c) }}{{ .Values.d }}{{ end }}"
            "{{ with .Values.e }}{{ .f.g | quote }}{{ $.Values.h }}{{ end }}{{ default 3 .Values.i }}"
        ]
    )
    assert reads.paths == {"a.b", "c", "d", "e", "e.f.g", "h", "i"}
    assert reads.optional == {"a.b", "c", "e", "i"}
