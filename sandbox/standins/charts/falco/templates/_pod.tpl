{{/* The pod of the DaemonSet or Deployment: mounts and security as the real chart chooses them for the driver. */}}
{{- define "falco.securityContext" -}}
{{- if .Values.containerSecurityContext -}}
{{ toYaml .Values.containerSecurityContext }}
{{- else if and (eq (include "falco.modernProbe" .) "true") .Values.driver.modernEbpf.leastPrivileged -}}
capabilities:
  add: [BPF, SYS_RESOURCE, PERFMON, SYS_PTRACE]
{{- else if .Values.driver.enabled -}}
privileged: true
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{- define "falco.probe" -}}
{{- toYaml .probe }}
httpGet:
  path: {{ .webserver.k8s_healthz_endpoint }}
  port: {{ .webserver.listen_port }}
{{- end -}}

{{- define "falco.podTemplate" -}}
{{- $sockets := (include "falco.sockets" . | fromYaml).sockets -}}
{{- $document := include "falco.document" . | fromYaml -}}
metadata:
  name: {{ include "falco.fullname" . }}
  labels:
    {{- include "falco.selectorLabels" . | nindent 4 }}
    falconet.sandbox/stand-in: "true"
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
    checksum/rules: {{ include (print $.Template.BasePath "/rules-configmap.yaml") . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "falco.serviceAccountName" . }}
  {{- with .Values.podPriorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- range $key, $value := dict "securityContext" .Values.podSecurityContext "nodeSelector" .Values.nodeSelector "affinity" .Values.affinity "tolerations" .Values.tolerations "imagePullSecrets" .Values.imagePullSecrets }}
  {{- with $value }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with .Values.extra.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .Chart.Name }}
      image: {{ include "falco.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - /usr/bin/falco
        {{- if not .Values.driver.enabled }}
        - --disable-source
        - syscall
        {{- end }}
        {{- with .Values.extra.args }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      tty: {{ .Values.tty }}
      securityContext:
        {{- include "falco.securityContext" . | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      env:
        - name: HOST_ROOT
          value: /host
        {{- $named := list }}
        {{- range .Values.extra.env }}
        {{- $named = append $named .name }}
        {{- end }}
        {{- if and .Values.falcoHostnameEnv (not (has "FALCO_HOSTNAME" $named)) }}
        - name: FALCO_HOSTNAME
          valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
        {{- end }}
        - name: FALCO_K8S_NODE_NAME
          valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
        {{- with .Values.extra.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if $document.webserver.enabled }}
      ports:
        - name: web
          containerPort: {{ $document.webserver.listen_port }}
          protocol: TCP
      {{- range $name, $probe := .Values.healthChecks }}
      {{ $name }}:
        {{- include "falco.probe" (dict "probe" $probe "webserver" $document.webserver) | nindent 8 }}
      {{- end }}
      {{- end }}
      volumeMounts:
        - {name: root-falco-fs, mountPath: /root/.falco}
        {{- range $i, $socket := $sockets }}
        - name: container-engine-socket-{{ $i }}
          mountPath: /host{{ $socket }}
        {{- end }}
        {{- if .Values.driver.enabled }}
        - {name: proc-fs, mountPath: /host/proc, readOnly: true}
        - {name: etc-fs, mountPath: /host/etc, readOnly: true}
        {{- end }}
        {{- if eq (include "falco.kernelModule" .) "true" }}
        - {name: dev-fs, mountPath: /host/dev, readOnly: true}
        - {name: sys-module-fs, mountPath: /sys/module}
        {{- end }}
        {{- if and (eq (include "falco.modernProbe" .) "true") .Values.driver.modernEbpf.sysfsMount }}
        - {name: sys-fs, mountPath: {{ .Values.driver.sysfsMountPath }}, readOnly: true}
        {{- end }}
        {{- if and .Values.driver.enabled .Values.driver.loader.enabled (ne (include "falco.modernProbe" .) "true") }}
        # Where the loader says which driver it found, over the image's own files.
        - {name: specialized-falco-configs, mountPath: /etc/falco/config.d}
        {{- end }}
        - name: falco-yaml
          mountPath: /etc/falco/falco.yaml
          subPath: falco.yaml
        {{- if .Values.customRules }}
        - {name: rules-volume, mountPath: /etc/falco/rules.d}
        {{- end }}
        {{- if .Values.certs.existingSecret }}
        - {name: certs-volume, mountPath: /etc/falco/certs}
        {{- end }}
        {{- if .Values.certs.existingClientSecret }}
        - {name: client-certs-volume, mountPath: /etc/falco/certs/client}
        {{- end }}
        {{- with .Values.mounts.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - {name: root-falco-fs, emptyDir: {}}
    {{- range $i, $socket := $sockets }}
    - name: container-engine-socket-{{ $i }}
      hostPath: {path: {{ $socket }}}
    {{- end }}
    {{- if .Values.driver.enabled }}
    - {name: proc-fs, hostPath: {path: /proc}}
    - {name: etc-fs, hostPath: {path: /etc}}
    {{- end }}
    {{- if eq (include "falco.kernelModule" .) "true" }}
    - {name: dev-fs, hostPath: {path: /dev}}
    - {name: sys-module-fs, hostPath: {path: /sys/module}}
    {{- end }}
    {{- if and (eq (include "falco.modernProbe" .) "true") .Values.driver.modernEbpf.sysfsMount }}
    - {name: sys-fs, hostPath: {path: {{ .Values.driver.sysfsMountPath }}}}
    {{- end }}
    {{- if and .Values.driver.enabled .Values.driver.loader.enabled (ne (include "falco.modernProbe" .) "true") }}
    - {name: specialized-falco-configs, emptyDir: {}}
    {{- end }}
    - name: falco-yaml
      configMap:
        name: {{ include "falco.fullname" . }}
        items:
          - {key: falco.yaml, path: falco.yaml}
    {{- if .Values.customRules }}
    - name: rules-volume
      configMap:
        name: {{ include "falco.fullname" . }}-rules
    {{- end }}
    {{- with .Values.certs.existingSecret }}
    - name: certs-volume
      secret: {secretName: {{ . }}}
    {{- end }}
    {{- with .Values.certs.existingClientSecret }}
    - name: client-certs-volume
      secret: {secretName: {{ . }}}
    {{- end }}
    {{- with .Values.mounts.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
