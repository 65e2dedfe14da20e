#!/bin/sh
# Prints the alerts and what they record as PrometheusRules, for the Prometheus operator:
#
#   deploy/alert-rules.sh | kubectl apply -f -
#
# RUNBOOKS_URL=https://…/docs/runbooks.md, where people on call can open it, makes each alert's `runbook` a link (`runbook_url`).
set -eu
cd "$(dirname "$0")/prometheus"
for name in rules slo; do
    printf -- '---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: headshots-%s\n  namespace: %s\nspec:\n' \
        "$name" "${NAMESPACE:-headshots}"
    if test -n "${RUNBOOKS_URL:-}"; then
        sed -e "s|runbook: docs/runbooks.md|runbook_url: $RUNBOOKS_URL|" -e 's/^/  /' "$name.yaml"
    else
        sed 's/^/  /' "$name.yaml"
    fi
done
