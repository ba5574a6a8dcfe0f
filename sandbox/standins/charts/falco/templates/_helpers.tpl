{{/* Names and labels as the real chart makes them; the collection finds its objects by these. */}}
{{- define "falco.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "falco.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "falco.namespace" -}}
{{ .Values.namespaceOverride | default .Release.Namespace }}
{{- end -}}

{{- define "falco.selectorLabels" -}}
app.kubernetes.io/name: {{ include "falco.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "falco.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "falco.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
falconet.sandbox/stand-in: "true"
{{- end -}}

{{- define "falco.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "falco.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "falco.image" -}}
{{- with .Values.image.registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* "true" for the drivers that the argument lists, aliases included. */}}
{{- define "falco.kernelModule" -}}
{{ if and .Values.driver.enabled (has .Values.driver.kind (list "kmod" "module" "auto")) }}true{{ end }}
{{- end -}}
{{- define "falco.modernProbe" -}}
{{ if and .Values.driver.enabled (has .Values.driver.kind (list "modern_ebpf" "modern-bpf")) }}true{{ end }}
{{- end -}}

{{/* Sockets of the enabled container engines, each path once, as {"sockets": [...]} in YAML. */}}
{{- define "falco.sockets" -}}
{{- $paths := list -}}
{{- if and .Values.driver.enabled .Values.collectors.enabled .Values.collectors.containerEngine.enabled -}}
{{- range $engine := list "docker" "podman" "containerd" "cri" "lxc" "libvirt_lxc" "bpm" -}}
{{- $settings := index $.Values.collectors.containerEngine.engines $engine | default dict -}}
{{- if $settings.enabled -}}
{{- range $settings.sockets -}}
{{- $paths = append $paths . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "sockets" (uniq $paths) | toYaml -}}
{{- end -}}

{{/* The document falco.yaml: the values under `falco`, and what other values imply for it. */}}
{{- define "falco.document" -}}
{{- $doc := deepCopy .Values.falco -}}
{{- if .Values.falcosidekick.enabled -}}
{{- $host := printf "%s-falcosidekick" (include "falco.fullname" .) -}}
{{- if .Values.falcosidekick.fullfqdn -}}
{{- $host = printf "%s.%s.svc.cluster.local" $host .Release.Namespace -}}
{{- end -}}
{{- $http := $doc.http_output | default dict -}}
{{- $_ := set $http "enabled" true -}}
{{- $_ := set $http "url" ($http.url | default (printf "http://%s:%s" $host (.Values.falcosidekick.listenPort | default "2801" | toString))) -}}
{{- $doc = merge (dict "json_output" true "json_include_output_property" true "http_output" $http) $doc -}}
{{- end -}}
{{- if .Values.driver.enabled -}}
{{- $kmod := dict "buf_size_preset" .Values.driver.kmod.bufSizePreset "drop_failed_exit" .Values.driver.kmod.dropFailedExit -}}
{{- with .Values.driver.modernEbpf -}}
{{- $probe := dict "buf_size_preset" .bufSizePreset "drop_failed_exit" .dropFailedExit "cpus_for_each_buffer" .cpusForEachBuffer "disable_iterators" .disableIterators -}}
{{- if has $.Values.driver.kind (list "kmod" "module") -}}
{{- $_ := set $doc "engine" (dict "kind" "kmod" "kmod" $kmod) -}}
{{- else if eq $.Values.driver.kind "auto" -}}
{{- $_ := set $doc "engine" (dict "kind" "modern_ebpf" "kmod" $kmod "modern_ebpf" $probe) -}}
{{- else -}}
{{- $_ := set $doc "engine" (dict "kind" "modern_ebpf" "modern_ebpf" $probe) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.collectors.enabled .Values.collectors.containerEngine.enabled (not (has "container" ($doc.load_plugins | default list))) -}}
{{- $engines := .Values.collectors.containerEngine -}}
{{- $plugin := dict "name" "container" "library_path" "libcontainer.so" "init_config" (dict "label_max_len" $engines.labelMaxLen "with_size" $engines.withSize "hooks" $engines.hooks "engines" $engines.engines) -}}
{{- $_ := set $doc "plugins" (append ($doc.plugins | default list) $plugin) -}}
{{- $_ := set $doc "load_plugins" (append ($doc.load_plugins | default list) "container") -}}
{{- end -}}
{{- end -}}
{{- if .Values.metrics.enabled -}}
{{- $_ := set $doc "webserver" (merge (dict "enabled" true "prometheus_metrics_enabled" true) ($doc.webserver | default dict)) -}}
{{- with .Values.metrics -}}
{{- $_ := set $doc "metrics" (dict "enabled" true "interval" .interval "output_rule" .outputRule "rules_counters_enabled" .rulesCountersEnabled
  "resource_utilization_enabled" .resourceUtilizationEnabled "state_counters_enabled" .stateCountersEnabled "kernel_event_counters_enabled" .kernelEventCountersEnabled
  "kernel_event_counters_per_cpu_enabled" .kernelEventCountersPerCPUEnabled "libbpf_stats_enabled" .libbpfStatsEnabled "plugins_metrics_enabled" .pluginsMetricsEnabled
  "kernel_iter_event_counters_enabled" .kernelIterEventCountersEnabled "jemalloc_stats_enabled" .jemallocStatsEnabled "convert_memory_to_mb" .convertMemoryToMB
  "include_empty_values" .includeEmptyValues) -}}
{{- end -}}
{{- end -}}
{{- toYaml $doc -}}
{{- end -}}
