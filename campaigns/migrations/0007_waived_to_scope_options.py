"""What a campaign waived becomes an option of its landlord, for the year of that campaign."""

import datetime as dt

from django.db import migrations


def waived_to_options(apps, schema_editor):
    Campaign = apps.get_model("campaigns", "Campaign")
    ScopeOption = apps.get_model("campaigns", "ScopeOption")
    for campaign in Campaign._base_manager.exclude(waived_exemptions=[]).filter(rehearsal=False):
        for key in campaign.waived_exemptions:
            ScopeOption._base_manager.get_or_create(
                landlord_id=campaign.landlord_id,
                exemption=key,
                valid_from=dt.date(campaign.year, 1, 1),
                defaults={
                    "choice": "waive",
                    "valid_until": dt.date(campaign.year, 12, 31),
                    "reason": f"Repris des réglages de la campagne {campaign.year}.",
                },
            )


def options_to_waived(apps, schema_editor):
    Campaign = apps.get_model("campaigns", "Campaign")
    ScopeOption = apps.get_model("campaigns", "ScopeOption")
    for campaign in Campaign._base_manager.all():
        options = ScopeOption._base_manager.filter(
            landlord_id=campaign.landlord_id, choice="waive", valid_from__lte=dt.date(campaign.year, 1, 1)
        ).exclude(valid_until__lt=dt.date(campaign.year, 1, 1))
        campaign.waived_exemptions = sorted({option.exemption for option in options})
        campaign.save(update_fields=["waived_exemptions"])


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0006_landlord_rules")]

    operations = [migrations.RunPython(waived_to_options, options_to_waived)]
