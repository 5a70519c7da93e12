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

{{/*
A file of monitoring/ with this installation's schedule, namespaces and URLs. Takes (context,
content). A number in a dashboard is in quotation marks, because the file is valid JSON before.
*/}}
{{- define "weather.monitoringFile" -}}
{{- $values := (index . 0).Values -}}
{{- $schedule := include "weather.schedule" (index . 0) | fromJson -}}
{{- $every := int $schedule.everyHours -}}
{{- $content := toString (index . 1) -}}
{{- range $name, $number := dict
    "FRESH_HOURS" (int $schedule.freshHours)
    "FRESH_SECONDS" (mul 3600 $schedule.freshHours)
    "OVERDUE_SECONDS" (add 1800 (mul 3600 $every))
    "HOURS_OF_2_RUNS" (mul 2 $every)
    "HOURS_OF_3_RUNS" (mul 3 $every)
    "HOURS_OF_6_RUNS" (mul 6 $every) -}}
{{- $content = $content | replace (printf "\"__%s__\"" $name) (toString $number) -}}
{{- $content = $content | replace (printf "__%s__" $name) (toString $number) -}}
{{- end -}}
{{- $namespaces := list (index . 0).Release.Namespace $values.airflow.namespace | uniq | join "|" -}}
{{- $content = $content | replace "weather|airflow" $namespaces -}}
{{- with $values.monitoring.rules.runbooks -}}
{{- $content = $content | replace "docs/runbooks/" (printf "%s/" (trimSuffix "/" .)) -}}
{{- end -}}
{{ $content }}
{{- end -}}
