{{/* Name of the operator's objects. */}}
{{- define "hune.name" -}}
{{ .Release.Name | trunc 54 | trimSuffix "-" }}-operator
{{- end }}

{{- define "hune.selector" -}}
app.kubernetes.io/name: hune-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Name of the authorizer's objects; also of the Service that guards ask. */}}
{{- define "hune.authorizerName" -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}-authorizer
{{- end }}

{{- define "hune.authorizerSelector" -}}
app.kubernetes.io/name: hune-authorizer
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hune.authorizerLabels" -}}
{{ include "hune.authorizerSelector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: hune
{{- end }}

{{/* Host and port that guards ask; empty where nobody answers. */}}
{{- define "hune.authorizer" -}}
{{- if .Values.authorizer.enabled -}}
{{ include "hune.authorizerName" . }}.{{ .Release.Namespace }}.svc:8080
{{- else -}}
{{ .Values.authorizer.address }}
{{- end -}}
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

{{/* Where the operator's and the authorizer's pods run, and how their image is fetched. */}}
{{- define "hune.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
