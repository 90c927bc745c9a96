"""How workers and the scheduler behave. Every task may run twice or late, so redelivery is always safe."""

from celery.schedules import crontab
from django.conf import settings

broker_url = settings.CELERY_BROKER_URL
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_transport_options = {"visibility_timeout": 900, "socket_connect_timeout": 2, "socket_timeout": 10}
accept_content = ["json"]
task_ignore_result = True
task_acks_late = True
task_reject_on_worker_lost = True
task_soft_time_limit = 270
task_time_limit = 300
worker_prefetch_multiplier = 1
worker_max_tasks_per_child = 500
worker_cancel_long_running_tasks_on_connection_loss = True
worker_hijack_root_logger = False

# Ticks look for rows that wait; a tick that is lost is made good by the next one, and expires before it.
_EVERY = settings.COUNTERSIGN_MINE_EVERY_S
beat_schedule = {
    "mine": {"task": "feedback.tasks.mine_pending", "schedule": _EVERY, "options": {"expires": _EVERY}},
    "count": {"task": "feedback.tasks.count_runs", "schedule": 60.0, "options": {"expires": 60.0}},
    "rising": {"task": "feedback.tasks.note_rising", "schedule": 60.0, "options": {"expires": 60.0}},
    "erase": {"task": "feedback.tasks.erase_asked", "schedule": 30.0, "options": {"expires": 30.0}},
    "quarantine": {
        "task": "feedback.tasks.settle_quarantines",
        "schedule": _EVERY,
        "options": {"expires": _EVERY},
    },
    "probation": {"task": "feedback.tasks.end_probations", "schedule": 300.0, "options": {"expires": 300.0}},
    "draft": {"task": "proposals.tasks.draft_due", "schedule": _EVERY, "options": {"expires": _EVERY}},
    "start": {"task": "proposals.tasks.start_safe", "schedule": _EVERY, "options": {"expires": _EVERY}},
    "expire": {"task": "proposals.tasks.expire_stale", "schedule": 3600.0, "options": {"expires": 3600.0}},
    "rollouts": {"task": "proposals.tasks.watch_rollouts", "schedule": 10.0, "options": {"expires": 10.0}},
    "tidy": {"task": "proposals.tasks.tidy_rollouts", "schedule": 3600.0, "options": {"expires": 3600.0}},
    "consolidate": {"task": "feedback.tasks.consolidate", "schedule": crontab(hour=3, minute=17)},
    "resolve": {"task": "feedback.tasks.resolve_quiet", "schedule": 600.0, "options": {"expires": 600.0}},
    "remove": {"task": "proposals.tasks.propose_removals", "schedule": 3600.0, "options": {"expires": 3600.0}},
    "outcomes": {"task": "proposals.tasks.tell_outcomes", "schedule": 300.0, "options": {"expires": 300.0}},
    "drift": {"task": "proposals.tasks.watch_drift", "schedule": 600.0, "options": {"expires": 600.0}},
    "digest": {"task": "proposals.tasks.tell_of_proposals", "schedule": 60.0, "options": {"expires": 60.0}},
    "notices": {"task": "notices.tasks.deliver", "schedule": 10.0, "options": {"expires": 10.0}},
    "tidy_notices": {"task": "notices.tasks.tidy_notices", "schedule": 86_400.0, "options": {"expires": 3600.0}},
    "tidy_sessions": {"task": "people.tasks.tidy_sessions", "schedule": 3600.0, "options": {"expires": 3600.0}},
    "checkpoint": {"task": "audit.tasks.checkpoint_due", "schedule": 60.0, "options": {"expires": 60.0}},
    "verify": {"task": "audit.tasks.verify_log", "schedule": crontab(hour=4, minute=7)},
    "retain": {"task": "reviewapp.tasks.retain", "schedule": crontab(hour=2, minute=37)},
    "heartbeat": {"task": "reviewapp.tasks.heartbeat", "schedule": 15.0, "options": {"expires": 15.0}},
}
