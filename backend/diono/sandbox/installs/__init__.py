"""Packages for sandboxes: fetched once by a step of ours, installed offline by the tenant."""
