{{/* Labels of every object. Takes (context, component). */}}
{{- define "weather.labels" -}}
{{- $context := index . 0 -}}
{{ include "weather.selector" . }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $context.Chart.Name $context.Chart.Version }}
{{- end -}}

{{/* Labels that select a component's pods. Takes (context, component). */}}
{{- define "weather.selector" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: weather
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* An image of the project. Takes (context, name). */}}
{{- define "weather.image" -}}
{{- $image := (index . 0).Values.image -}}
{{- if has $image.tag (list "" "latest") -}}
{{- fail (printf "image.tag is '%s': name the fixed version of your images, such as --set-string image.tag=3f2a9c1d7b60" $image.tag) -}}
{{- end -}}
{{ $image.prefix }}{{ index . 1 }}:{{ $image.tag }}
{{- end -}}

{{/* A third-party image. Takes (image, name of its value). */}}
{{- define "weather.foreignImage" -}}
{{- if hasSuffix ":latest" (index . 0) -}}
{{- fail (printf "%s is '%s': name a fixed version" (index . 1) (index . 0)) -}}
{{- end -}}
{{ index . 0 }}
{{- end -}}

{{/* Settings of every pod: no token, no root. Takes (component, user id). */}}
{{- define "weather.pod" -}}
serviceAccountName: weather-{{ index . 0 }}
automountServiceAccountToken: false
# Services are found by DNS, not by environment variables.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ index . 1 }}
  runAsGroup: {{ index . 1 }}
  fsGroup: {{ index . 1 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "weather.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* URL of the store for pods of this namespace. Empty for AWS. */}}
{{- define "weather.storeUrl" -}}
{{- if .Values.minio.enabled -}}
http://weather-store:9000
{{- else -}}
{{ .Values.store.endpointUrl }}
{{- end -}}
{{- end -}}

{{/* Settings of all steps and of the API, as JSON. */}}
{{- define "weather.settings" -}}
{{- $replay := ternary "http://weather-replay:8000" "" .Values.replay.enabled -}}
{{- $settings := dict
    "OPEN_METEO_URL" (coalesce .Values.source.url $replay "https://api.open-meteo.com")
    "OPEN_METEO_ARCHIVE_URL" (coalesce .Values.source.archiveUrl $replay "https://historical-forecast-api.open-meteo.com")
    "WEATHER_BUCKET" .Values.store.bucket
    "AWS_REGION" .Values.store.region -}}
{{- with include "weather.storeUrl" . -}}
{{- $_ := set $settings "AWS_ENDPOINT_URL" . -}}
{{- end -}}
{{ toJson $settings }}
{{- end -}}

{{/* The schedule with all its values, as JSON. Fails on a contradiction, like weather/schedule.py. */}}
{{- define "weather.schedule" -}}
{{- $every := int .Values.schedule.everyHours -}}
{{- $upkeep := .Values.schedule.upkeepHour -}}
{{- $upkeep = int (ternary (sub 3 (mod 3 $every)) $upkeep (kindIs "invalid" $upkeep)) -}}
{{- $fresh := int (.Values.schedule.freshHours | default (mul 2 $every)) -}}
{{- if lt (int .Values.lookbackHours) $every -}}
{{- fail (printf "lookbackHours is %d, but schedule.everyHours is %d, so no run would fetch the hours in between: set lookbackHours to %d or more" (int .Values.lookbackHours) $every $every) -}}
{{- end -}}
{{- if mod $upkeep $every -}}
{{- fail (printf "schedule.upkeepHour is %d, but schedule.everyHours is %d, so no run's window ends then and upkeep would never run: set upkeepHour to one of %s, or to null" $upkeep $every (untilStep 0 24 $every | join ", ")) -}}
{{- end -}}
{{- if le $fresh $every -}}
{{- fail (printf "schedule.freshHours is %d, but schedule.everyHours is %d, so data would be late before each run: set freshHours to %d or more, or to null" $fresh $every (add1 $every)) -}}
{{- end -}}
{{ dict "everyHours" $every "upkeepHour" $upkeep "freshHours" $fresh | toJson }}
{{- end -}}

{{/* The S3 users' policies by file name, for this bucket, as JSON. */}}
{{- define "weather.policies" -}}
{{- $files := dict -}}
{{- range $path, $content := .Files.Glob "s3-policies/*.json" -}}
{{- $policy := toString $content | replace "arn:aws:s3:::weather" (printf "arn:aws:s3:::%s" $.Values.store.bucket) -}}
{{- $_ := set $files (base $path) $policy -}}
{{- end -}}
{{ toJson $files }}
{{- end -}}

{{/* Scripts that prepare Postgres, by file name, as JSON. */}}
{{- define "weather.postgresFiles" -}}
{{- $files := dict -}}
{{- range $path, $content := .Files.Glob "postgres/*" -}}
{{- $_ := set $files (base $path) (toString $content) -}}
{{- end -}}
{{ toJson $files }}
{{- end -}}

{{/* The port of an address. */}}
{{- define "weather.port" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{ $port | default (ternary "80" "443" (eq $url.scheme "http")) }}
{{- end -}}

{{/* The password in an existing Secret, else a new one. Takes (namespace, Secret, key, length). */}}
{{- define "weather.password" -}}
{{- $secret := lookup "v1" "Secret" (index . 0) (index . 1) | default dict -}}
{{- $kept := get ($secret.data | default dict) (index . 2) -}}
{{- if $kept -}}
{{ b64dec $kept }}
{{- else -}}
{{ randAlphaNum (index . 3 | int) }}
{{- end -}}
{{- end -}}
