"""Settings of a store, and the requests that all clients send with these settings.

`{store}`, `{secure_store}` and `{proxy}` are ports of the test's servers, `{ca}` is a file.
"""

from dataclasses import replace

from tests.weather.recorded_s3 import KEY, Seen

BUCKET = "weather-recorded"
SECRET = "a-secret-key"
TOKEN = "the/token+of=an hour"

KEYS = {
    "AWS_ACCESS_KEY_ID": "long-lived",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_REGION": "eu-west-3",
}
PLAIN = Seen(
    url=f"http://127.0.0.1:{{store}}/{BUCKET}/{KEY}",
    access_key="long-lived",
    region="eu-west-3",
    token=None,
    proxy=None,
)
SECURE = replace(PLAIN, url=f"https://localhost:{{secure_store}}/{BUCKET}/{KEY}")
TO_PLAIN = {"AWS_ENDPOINT_URL": "http://127.0.0.1:{store}"}
TO_SECURE = {"AWS_ENDPOINT_URL": "https://localhost:{secure_store}"}

PROXY = "http://127.0.0.1:{proxy}"

PROFILES = f"""
[default]
aws_access_key_id = of-the-default-profile
aws_secret_access_key = {SECRET}
[work]
aws_access_key_id = of-a-profile
aws_secret_access_key = {SECRET}
aws_session_token = {TOKEN}
region = ap-south-1
"""

CASES: dict[str, tuple[dict[str, str], Seen]] = {
    "keys": ({**TO_PLAIN, **KEYS}, PLAIN),
    "keys without a region": (
        {**TO_PLAIN, **KEYS, "AWS_REGION": ""},
        replace(PLAIN, region="us-east-1"),
    ),
    "the region's other name": (
        {**TO_PLAIN, **KEYS, "AWS_REGION": "", "AWS_DEFAULT_REGION": "sa-east-1"},
        replace(PLAIN, region="sa-east-1"),
    ),
    "both names of the region": (
        {**TO_PLAIN, **KEYS, "AWS_DEFAULT_REGION": "sa-east-1"},
        PLAIN,
    ),
    "an address for S3 alone": (
        {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:{store}",
            **KEYS,
        },
        PLAIN,
    ),
    "a session token": (
        {**TO_PLAIN, **KEYS, "AWS_SESSION_TOKEN": TOKEN},
        replace(PLAIN, token=TOKEN),
    ),
    "an empty session token": ({**TO_PLAIN, **KEYS, "AWS_SESSION_TOKEN": ""}, PLAIN),
    "keys beside a profile": ({**TO_PLAIN, **KEYS, "AWS_PROFILE": "work"}, PLAIN),
    "a profile": (
        {**TO_PLAIN, "AWS_PROFILE": "work"},
        replace(PLAIN, access_key="of-a-profile", region="ap-south-1", token=TOKEN),
    ),
    "the default profile": (
        TO_PLAIN,
        replace(PLAIN, access_key="of-the-default-profile", region="us-east-1"),
    ),
    "a CA bundle": ({**TO_SECURE, **KEYS, "AWS_CA_BUNDLE": "{ca}"}, SECURE),
    "a CA bundle by requests' name": ({**TO_SECURE, **KEYS, "REQUESTS_CA_BUNDLE": "{ca}"}, SECURE),
    "a CA bundle by OpenSSL's name": ({**TO_SECURE, **KEYS, "SSL_CERT_FILE": "{ca}"}, SECURE),
    "two CA bundles": (
        {**TO_SECURE, **KEYS, "AWS_CA_BUNDLE": "{ca}", "SSL_CERT_FILE": "/nowhere.pem"},
        SECURE,
    ),
    "a proxy": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": PROXY},
        replace(PLAIN, proxy=""),
    ),
    "a proxy in small letters, without a scheme": (
        {**TO_PLAIN, **KEYS, "http_proxy": "127.0.0.1:{proxy}"},
        replace(PLAIN, proxy=""),
    ),
    "a proxy with a password": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": "http://me:p%40ss%3Aword@127.0.0.1:{proxy}"},
        replace(PLAIN, proxy="me:p@ss:word"),
    ),
    "a proxy to https": (
        {
            **TO_SECURE,
            **KEYS,
            "AWS_CA_BUNDLE": "{ca}",
            "HTTPS_PROXY": "http://me:x@127.0.0.1:{proxy}",
        },
        replace(SECURE, proxy="me:x"),
    ),
    "a proxy for the other scheme": (
        {**TO_PLAIN, **KEYS, "https_proxy": PROXY},
        PLAIN,
    ),
    "a proxy that botocore does not read": (
        {**TO_PLAIN, **KEYS, "ALL_PROXY": PROXY},
        PLAIN,
    ),
    "no proxy for the host": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": PROXY, "NO_PROXY": "a.org, 127.0.0.1"},
        PLAIN,
    ),
    "no proxy for the host and port": (
        {**TO_PLAIN, **KEYS, "http_proxy": PROXY, "no_proxy": "127.0.0.1:{store}"},
        PLAIN,
    ),
    "no proxy for the network": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8,127.0.0.0/8"},
        PLAIN,
    ),
    "no proxy for other hosts": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": PROXY, "NO_PROXY": "example.org,10.0.0.0/8"},
        replace(PLAIN, proxy=""),
    ),
}

TO_AWS = {**KEYS, "AWS_CA_BUNDLE": "{ca}", "HTTPS_PROXY": PROXY}

AWS_CASES: dict[str, tuple[dict[str, str], str]] = {
    "a region": ({}, f"{BUCKET}.s3.eu-west-3.amazonaws.com"),
    "the first region": ({"AWS_REGION": "us-east-1"}, f"{BUCKET}.s3.us-east-1.amazonaws.com"),
    "another partition": ({"AWS_REGION": "cn-north-1"}, f"{BUCKET}.s3.cn-north-1.amazonaws.com.cn"),
    "a bucket with a dot": (
        {"WEATHER_BUCKET": "weather.recorded"},
        "s3.eu-west-3.amazonaws.com/weather.recorded",
    ),
    "the address of AWS": (
        {"AWS_ENDPOINT_URL": "https://s3.eu-west-3.amazonaws.com"},
        f"s3.eu-west-3.amazonaws.com/{BUCKET}",
    ),
    "FIPS": (
        {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_REGION": "us-east-1"},
        f"{BUCKET}.s3-fips.us-east-1.amazonaws.com",
    ),
}
"""Settings and the expected URL at AWS. A proxy responds in place of AWS."""
