"""How long every store keeps what nobody deletes."""

from datetime import timedelta

# Jobs that succeeded; failed and cancelled ones stay, so that they can be tried again.
JOB_RETENTION = timedelta(days=7)
# Request ids with their answers: a retry comes within a day.
REQUEST_ID_RETENTION = timedelta(hours=24)
