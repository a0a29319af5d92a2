#!/usr/bin/env python3
"""The stock project's command line."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stock.settings")
execute_from_command_line(sys.argv)
