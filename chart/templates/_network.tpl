{{/* Egress rules. Pods of the cluster are selected by labels, other peers by addresses. */}}

{{- define "weather.toStore" -}}
{{- if .Values.minio.enabled -}}
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/component: store
  ports:
    - {protocol: TCP, port: 9000}
{{- else -}}
- to:
    {{- toYaml .Values.networkPolicies.store | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ include "weather.port" (.Values.store.endpointUrl | default "https://s3.amazonaws.com") }}}
{{- end -}}
{{- end -}}

{{- define "weather.toPostgres" -}}
{{- if .Values.postgres.enabled -}}
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/component: postgres
  ports:
    - {protocol: TCP, port: 5432}
{{- else -}}
- to:
    {{- toYaml .Values.networkPolicies.postgres | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .Values.networkPolicies.postgresPort }}}
{{- end -}}
{{- end -}}

{{- define "weather.toSource" -}}
{{- $settings := include "weather.settings" . | fromJson -}}
{{- $urls := list $settings.OPEN_METEO_URL $settings.OPEN_METEO_ARCHIVE_URL | uniq -}}
{{- if .Values.replay.enabled -}}
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/component: replay
  ports:
    - {protocol: TCP, port: 8000}
{{ $urls = without $urls "http://weather-replay:8000" -}}
{{- end -}}
{{- with $urls -}}
- to:
    {{- toYaml $.Values.networkPolicies.source | nindent 4 }}
  ports:
    {{- $ports := list -}}
    {{- range . -}}
    {{- $ports = append $ports (include "weather.port" .) -}}
    {{- end -}}
    {{- range uniq $ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* Ingress peer: Airflow's pods, which read and write their database and logs. */}}
{{- define "weather.airflowPods" -}}
{{- if .Values.airflow.enabled -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .Values.airflow.namespace }}
{{- end -}}
{{- end -}}

{{/* Ingress peer: Prometheus, if it scrapes this release. */}}
{{- define "weather.prometheusPods" -}}
{{- if include "weather.monitored" (list . "serviceMonitors") -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .Values.monitoring.namespace }}
  podSelector:
    matchLabels:
      app.kubernetes.io/name: prometheus
{{- end -}}
{{- end -}}
