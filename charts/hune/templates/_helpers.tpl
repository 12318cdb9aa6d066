{{/* Name of the operator's objects. */}}
{{- define "hune.name" -}}
{{ .Release.Name | trunc 54 | trimSuffix "-" }}-operator
{{- end }}

{{- define "hune.selector" -}}
app.kubernetes.io/name: hune-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Helm adds app.kubernetes.io/managed-by by itself, so that manifests/ need not claim it. */}}
{{- define "hune.labels" -}}
{{ include "hune.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: hune
{{- end }}

{{/* An image: (list . "guard"). */}}
{{- define "hune.image" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.image -}}
{{ trimSuffix "/" .registry }}/hune/{{ index $ 1 }}:{{ .tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Satisfies the Pod Security Standard "restricted" together with a pod's or image's user. */}}
{{- define "hune.restricted" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end }}
