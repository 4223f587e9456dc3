#!/usr/bin/env bash
# Make the pictures of the README with headless Chromium: docs/screenshots.sh [CHROMIUM]
set -euo pipefail
cd "$(dirname "$0")/.."
chromium="${1:-chromium}"
log="$(mktemp)"; profile="$(mktemp -d)"
.venv/bin/sekinin serve --port 0 >"$log" 2>/dev/null & server=$!
trap 'kill "$server"; rm -rf "$log" "$profile"' EXIT
until grep -q '^http' "$log"; do sleep 0.2; done
address="$(cat "$log")"
for lang in en ja; do
  "$chromium" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --hide-scrollbars --user-data-dir="$profile" --window-size=1280,1100 \
    --screenshot="docs/images/service-$lang.png" "${address}services/talkz?lang=$lang" >/dev/null 2>&1
  echo "docs/images/service-$lang.png"
done
