"""What the legislator may change, as dated data: each figure and each text carries its source and its first day.

Pure. `texts` (articles and delays), `survey_scope` (who need not be surveyed); tables are the TOML files beside.
"""
