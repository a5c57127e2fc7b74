"""The Celery application, its queues and the whole beat schedule, on one screen.

Truth is in the database: every task claims rows, so a tick that runs twice does its work once. Each entry expires
before the next tick, so that a backlog never doubles the work.
"""

import gc
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("enquetes")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.task_routes = {
    "tenants.tasks.deliver_messages": {"queue": "mail"},
    "tenants.tasks.collect_returned_mail": {"queue": "mail"},
    "tenants.tasks.reconcile_sms": {"queue": "mail"},
    "returns.tasks.read_scan_batch": {"queue": "read"},
    "returns.tasks.read_pieces": {"queue": "read"},
}


@worker_process_init.connect
def leave_alone_what_is_loaded(**_: Any) -> None:
    """Code and settings live as long as the process: the garbage collector need not go through them at each job.

    Nor need it look for circles at every 700 objects: what jobs make by the hundred thousand is rows, which hold none
    (an import asks 5 % less of the client). Web processes do the same.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def every(task: str, schedule: float | crontab, *, expires: float) -> dict[str, Any]:
    """One line of the schedule; `expires` in seconds."""
    return {"task": task, "schedule": schedule, "options": {"expires": expires}}


app.conf.beat_schedule = {
    "fetch-landlord-files": every("tenants.tasks.fetch_landlord_files", 60.0, expires=50),
    "publish-sftp-accounts": every("campaigns.tasks.publish_sftp_accounts", 60.0, expires=50),
    "seal-audit": every("campaigns.tasks.seal_audit", 15.0, expires=12),
    "forget-audit": every("campaigns.tasks.forget_audit", crontab(hour="3", minute="40"), expires=3600),
    "fetch-scans": every("returns.tasks.fetch_scans", 60.0, expires=50),
    "deliver-messages": every("tenants.tasks.deliver_messages", 30.0, expires=25),
    "settle-scans": every("returns.tasks.redrive", 60.0, expires=50),
    "follow-complements": every("returns.tasks.follow_complements", crontab(hour="9", minute="0"), expires=3600),
    "collect-returned-mail": every("tenants.tasks.collect_returned_mail", 300.0, expires=280),
    "collect-carrier-files": every("tenants.tasks.collect_carrier_files", 600.0, expires=580),
    "reconcile-sms": every("tenants.tasks.reconcile_sms", 600.0, expires=580),
    "send-due": every("tenants.tasks.send_due", crontab(hour="9", minute="5"), expires=3600),
}
