"""Every fault on three graphs and two stores: what rows and ledger prove, against what the audit and the lab say."""
