"""Programs that measure; all figures are ratios within one run."""
