"""What a landlord deposits, made into households and cases: once, whole or not at all, and told back."""

from tenants.importing.acknowledgements import tell_trial
from tenants.importing.code_tables import UnableToComplete, complete_table, import_codes
from tenants.importing.collection import Visit, fetch_deposits, process, visit_exchanges
from tenants.importing.decisions import keep_renumbered, put_to_use
from tenants.importing.deposits import UnableToImport, keep_rules, receive_deposit, recognise
from tenants.importing.households import (
    accept_deposit,
    bring_households,
    examine_households,
    import_households,
)
from tenants.importing.profiles import adopt_profile
from tenants.importing.renumbering import UnableToRenumber
from tenants.importing.report import ImportReport, anomalies_csv, changes_csv, receipt_of
from tenants.importing.rows import searchable

__all__ = [
    "ImportReport",
    "UnableToComplete",
    "UnableToImport",
    "UnableToRenumber",
    "Visit",
    "accept_deposit",
    "adopt_profile",
    "anomalies_csv",
    "bring_households",
    "changes_csv",
    "complete_table",
    "examine_households",
    "fetch_deposits",
    "import_codes",
    "import_households",
    "keep_renumbered",
    "keep_rules",
    "process",
    "put_to_use",
    "receipt_of",
    "receive_deposit",
    "recognise",
    "searchable",
    "tell_trial",
    "visit_exchanges",
]
