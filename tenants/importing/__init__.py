"""What a landlord deposits, made into households and cases: once, whole or not at all, and told back."""

from tenants.importing.code_tables import UnableToComplete, complete_table, import_codes
from tenants.importing.collection import Visit, fetch_deposits, process, visit_exchanges
from tenants.importing.deposits import UnableToImport, keep_rules, receive_deposit, recognise
from tenants.importing.households import import_households
from tenants.importing.profiles import adopt_profile
from tenants.importing.report import ImportReport, anomalies_csv, receipt_of
from tenants.importing.rows import searchable

__all__ = [
    "ImportReport",
    "UnableToComplete",
    "UnableToImport",
    "Visit",
    "adopt_profile",
    "anomalies_csv",
    "complete_table",
    "fetch_deposits",
    "import_codes",
    "import_households",
    "keep_rules",
    "process",
    "receipt_of",
    "receive_deposit",
    "recognise",
    "searchable",
    "visit_exchanges",
]
