"""Code tables become versioned objects: what each campaign had is version 1 of its tables."""

import hashlib
import json

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def gather(apps, schema_editor):
    Table, Line = apps.get_model('campaigns', 'CodeTable'), apps.get_model('campaigns', 'CodeMapping')
    now = django.utils.timezone.now()
    for campaign, name in Line.objects.order_by().values_list('campaign', 'name').distinct():
        lines = Line.objects.filter(campaign=campaign, name=name).order_by('pk')
        told = [[line.code, line.label, line.value] for line in lines]
        digest = hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
        table = Table.objects.create(
            campaign_id=campaign, name=name, version=1, digest=digest, source='codes déjà connus', created_at=now
        )
        lines.update(table=table)
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute('SET CONSTRAINTS ALL IMMEDIATE')


def scatter(apps, schema_editor):
    Table, Line = apps.get_model('campaigns', 'CodeTable'), apps.get_model('campaigns', 'CodeMapping')
    newest = {}
    for table in Table.objects.order_by('version'):
        newest[table.campaign_id, table.name] = table
    for table in newest.values():
        Line.objects.filter(table=table).update(campaign=table.campaign_id, name=table.name)
    Line.objects.filter(campaign=None).delete()
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute('SET CONSTRAINTS ALL IMMEDIATE')


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0002_waived_exemptions'),
    ]

    operations = [
        migrations.CreateModel(
            name='CodeTable',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, verbose_name='table')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('digest', models.CharField(max_length=64, verbose_name='empreinte SHA-256')),
                ('source', models.CharField(max_length=200, verbose_name='origine')),
                ('created_at', models.DateTimeField(verbose_name='enregistrée le')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='code_tables', to='campaigns.campaign', verbose_name='campagne')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='enregistrée par')),
            ],
            options={
                'verbose_name': 'table de correspondance',
                'verbose_name_plural': 'tables de correspondance',
                'constraints': [models.UniqueConstraint(fields=('campaign', 'name', 'version'), name='code_table_version_once')],
            },
        ),
        migrations.AddField(
            model_name='mappingprofile',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='créé par'),
        ),
        migrations.AddField(
            model_name='mappingprofile',
            name='note',
            field=models.CharField(blank=True, max_length=200, verbose_name='note'),
        ),
        migrations.AddField(
            model_name='questionnairerevision',
            name='code_tables',
            field=models.ManyToManyField(blank=True, related_name='revisions', to='campaigns.codetable', verbose_name='tables de correspondance figées'),
        ),
        migrations.RemoveConstraint(model_name='codemapping', name='code_once'),
        migrations.AlterModelOptions(
            name='codemapping',
            options={'verbose_name': 'correspondance', 'verbose_name_plural': 'correspondances'},
        ),
        migrations.RenameField(model_name='codemapping', old_name='table', new_name='name'),
        migrations.AlterField(
            model_name='codemapping',
            name='name',
            field=models.CharField(default='', max_length=40, verbose_name='table'),
        ),
        migrations.AlterField(
            model_name='codemapping',
            name='campaign',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='campaigns.campaign', verbose_name='campagne'),
        ),
        migrations.AddField(
            model_name='codemapping',
            name='table',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='campaigns.codetable', verbose_name='table'),
        ),
        migrations.RunPython(gather, scatter),
        migrations.RemoveField(model_name='codemapping', name='campaign'),
        migrations.RemoveField(model_name='codemapping', name='name'),
        migrations.AlterField(
            model_name='codemapping',
            name='table',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='campaigns.codetable', verbose_name='table'),
        ),
        migrations.AddConstraint(
            model_name='codemapping',
            constraint=models.UniqueConstraint(fields=('table', 'code'), name='code_once_in_table'),
        ),
    ]
