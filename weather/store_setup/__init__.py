"""Make MinIO's buckets and users, each user with the least rights.

What is wanted comes from the environment and from folders that Kubernetes mounts:

    AWS_ENDPOINT_URL          address of MinIO
    MINIO_ROOT_USER           MinIO's own user ...
    MINIO_ROOT_PASSWORD       ... and password
    STORE_BUCKETS             the buckets' names, with commas between
    STORE_KEPT_DAYS           after how many days objects are deleted, <bucket>=<days> with commas
                              between (default: never)
    STORE_POLICIES            folder of <user>.json, an S3 policy each (default /policies)
    STORE_USERS               folder of <user>/AWS_ACCESS_KEY_ID and
                              <user>/AWS_SECRET_ACCESS_KEY, a Secret each (default /users)
    STORE_PATIENCE_SECONDS    how long to wait until MinIO answers (default 60)

It may run at any time, and again: buckets keep what they hold; days and policies are replaced; a
user gets the password and the one policy that stand there now. What is no longer wanted is left.
"""
