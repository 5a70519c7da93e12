{{/* `yes` if this part of monitoring is rendered, else empty. Takes (context, part). */}}
{{- define "weather.monitored" -}}
{{- $context := index . 0 -}}
{{- $part := get $context.Values.monitoring (index . 1) -}}
{{- if and $part.enabled ($context.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") -}}
yes
{{- end -}}
{{- end -}}

{{/* Labels of an object of monitoring. Takes the context. */}}
{{- define "weather.monitoringLabels" -}}
{{ include "weather.labels" (list . "monitoring") }}
{{- with .Values.monitoring.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A file of monitoring/ with this installation's namespaces and URLs. Takes (context, content). */}}
{{- define "weather.monitoringFile" -}}
{{- $values := (index . 0).Values -}}
{{- $namespaces := list (index . 0).Release.Namespace $values.airflow.namespace | uniq | join "|" -}}
{{- $content := toString (index . 1) | replace "weather|airflow" $namespaces -}}
{{- with $values.monitoring.rules.runbooks -}}
{{- $content = $content | replace "docs/runbooks/" (printf "%s/" (trimSuffix "/" .)) -}}
{{- end -}}
{{ $content }}
{{- end -}}
