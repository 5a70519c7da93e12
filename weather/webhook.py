"""Telling people, through a webhook, what they have to know."""

import json
import logging
import urllib.request
from http.client import HTTPException

from weather.exit_codes import StepError
from weather.settings import NoticeSettings, read_settings

SECONDS_TO_ANSWER = 10

log = logging.getLogger(__name__)


def tell(text: str, runbook: str, log_url: str) -> bool:
    """Post a notice as `{"text": ...}`, which Slack, Mattermost and others understand.

    A notice is no part of the work: without WEATHER_NOTICE_URL nothing is sent, and a webhook that
    does not answer is a warning in the log. The address is never logged, as it is a secret itself.

    Args:
        text: what is wrong, and since when.
        runbook: the page's name in docs/runbooks.
        log_url: where to look.

    Returns:
        Whether somebody was told.
    """
    try:
        settings = read_settings(NoticeSettings)
    except StepError as error:
        log.warning("Nobody was told: %s", error)
        return False
    message = "\n".join(
        (
            text,
            f"Log: {log_url}",
            f"What to do: {settings.weather_runbooks.rstrip('/')}/{runbook}.md",
        )
    )
    log.error("%s", message)
    if settings.weather_notice_url is None:
        return False
    request = urllib.request.Request(  # noqa: S310 (the setting allows http and https alone)
        settings.weather_notice_url,
        data=json.dumps({"text": message}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:  # noqa: S310
            if answer.url == request.full_url:
                return True
            # urllib has followed it with a GET, as a browser does, and left the text behind.
            log.warning("Nobody was told: the webhook of WEATHER_NOTICE_URL redirects elsewhere.")
            return False
    except (OSError, HTTPException, ValueError) as error:
        log.warning("Nobody was told: the webhook of WEATHER_NOTICE_URL failed: %s", error)
        return False
