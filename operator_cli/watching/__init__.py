"""Supervises `cdk watch`: credentials that last, silences that are named, nothing left behind."""
