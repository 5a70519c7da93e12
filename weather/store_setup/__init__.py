"""Create MinIO's buckets and users. Each user gets only the rights it needs.

Environment variables and the folders that Kubernetes mounts:

    AWS_ENDPOINT_URL          address of MinIO
    MINIO_ROOT_USER           MinIO's root user ...
    MINIO_ROOT_PASSWORD       ... and its password
    STORE_BUCKETS             names of the buckets, separated by commas
    STORE_KEPT_DAYS           days after which objects are deleted, <bucket>=<days>, separated by
                              commas (default: never)
    STORE_POLICIES            folder with an S3 policy for each user, <user>.json
                              (default /policies)
    STORE_USERS               folder with a Secret for each user, <user>/AWS_ACCESS_KEY_ID and
                              <user>/AWS_SECRET_ACCESS_KEY (default /users)
    STORE_PATIENCE_SECONDS    how long to wait until MinIO responds (default 60)

A repeated run is safe. Buckets keep their objects. Days, policies, passwords and the user's single
policy are replaced. Buckets and users that are no longer configured stay.
"""
