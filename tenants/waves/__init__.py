"""Waves: prepared by one person, tried, armed by another, let go within limits, followed up when a channel fails."""

from tenants.waves.arming import UnableToArm, arm, arm_unattended
from tenants.waves.fallback import follow_up
from tenants.waves.preparing import MILESTONES, Plan, UnableToPrepare, cancel, change, of_milestone, plan_of, prepare
from tenants.waves.release import Tally, UnableToRelease, release
from tenants.waves.trial import Trial, decisions_csv, try_out

__all__ = [
    "MILESTONES",
    "Plan",
    "Tally",
    "Trial",
    "UnableToArm",
    "UnableToPrepare",
    "UnableToRelease",
    "arm",
    "arm_unattended",
    "cancel",
    "change",
    "decisions_csv",
    "follow_up",
    "of_milestone",
    "plan_of",
    "prepare",
    "release",
    "try_out",
]
