import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0004_exchange_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='LegalSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(blank=True, help_text='Tables TOML, décrites dans docs/law.md, avec leur source.', verbose_name='réglages')),
                ('agreed_by', models.CharField(help_text="Qui, chez le bailleur, a donné son accord, et quand.", max_length=200, verbose_name='accord du bailleur')),
                ('entered_at', models.DateTimeField(auto_now_add=True, verbose_name='saisi le')),
                ('entered_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='saisi par')),
                ('landlord', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='legal_settings', to='campaigns.landlord', verbose_name='bailleur')),
            ],
            options={
                'verbose_name': 'réglages juridiques',
                'verbose_name_plural': 'réglages juridiques',
            },
        ),
        migrations.AddIndex(
            model_name='legalsettings',
            index=models.Index(fields=['landlord', 'entered_at'], name='legal_settings_newest'),
        ),
    ]
