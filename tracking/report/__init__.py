"""The bilan: what a landlord keeps of its campaign, as a PDF of the same figures as on screen."""

from tracking.report.document import compose_report

__all__ = ["compose_report"]
